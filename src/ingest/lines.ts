const newline = 0x0a
const carriageReturn = 0x0d
const byteOrderMark = Buffer.from([0xef, 0xbb, 0xbf])
const seam = Buffer.from('}{')

/** An ordinary record has a few KiB, the longest known kind 128 KiB. */
const defaultMaxBytes = 4 * 1024 * 1024

/**
 * Parts a stream of newline-delimited JSON into records with their exact bytes. Yields once a chunk the records
 * that it completed, in order, so that the reader's own pace holds back the stream.
 *
 * - Dropped are a byte-order mark at the start of a line, the `\r` of CRLF, and blank lines. The last line needs
 *   no newline.
 * - Records on one line (`{…}{…}`, as joined gzip members leave them) are parted, but never inside a string or
 *   a nested value.
 * - Of a record longer than `maxBytes` the first `maxBytes` are yielded and the rest of its line is dropped: no
 *   line exhausts the memory, the damage stays visible, the neighbours survive.
 * - A line that is no JSON is yielded as it is. How the bytes are cut into chunks never matters.
 *
 * The records are views of the chunks; throws the stream's own error.
 */
export async function* recordBatches(
  input: AsyncIterable<Buffer>,
  { maxBytes = defaultMaxBytes }: { maxBytes?: number } = {},
): AsyncGenerator<Buffer[]> {
  let held: Buffer[] = []
  let heldBytes = 0
  let passingOver = false

  for await (const chunk of input) {
    const batch: Buffer[] = []
    let start = 0
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const tail = chunk.subarray(start, end)
      if (!passingOver) addLine(batch, held.length > 0 ? Buffer.concat([...held, tail]) : tail, maxBytes)
      held = []
      heldBytes = 0
      passingOver = false
      start = end + 1
    }
    if (!passingOver && start < chunk.length) {
      held.push(chunk.subarray(start))
      heldBytes += chunk.length - start
    }
    if (heldBytes > maxBytes) {
      const records = partRecords(Buffer.concat(held), maxBytes)
      const last = records.pop()!
      passingOver = last.length > maxBytes
      held = passingOver ? [] : [last]
      heldBytes = passingOver ? 0 : last.length
      for (const record of records) addRecord(batch, record, maxBytes)
      if (passingOver) addRecord(batch, last, maxBytes)
    }
    if (batch.length > 0) yield batch
  }

  const last: Buffer[] = []
  addLine(last, Buffer.concat(held), maxBytes)
  if (last.length > 0) yield last
}

function addLine(batch: Buffer[], line: Buffer, maxBytes: number): void {
  const whole = line.at(-1) === carriageReturn ? line.subarray(0, -1) : line
  for (const record of partRecords(whole, maxBytes)) addRecord(batch, record, maxBytes)
}

function addRecord(batch: Buffer[], record: Buffer, maxBytes: number): void {
  const kept = record.length > maxBytes ? record.subarray(0, maxBytes) : record
  if (!isBlank(kept)) batch.push(kept)
}

/**
 * The records on (the start of) a line: at least one, the last perhaps unfinished. One longer than `maxBytes` is
 * always the last, whatever follows it.
 */
function partRecords(line: Buffer, maxBytes: number): Buffer[] {
  let rest = line
  while (rest.subarray(0, 3).equals(byteOrderMark)) rest = rest.subarray(3)
  if (!rest.includes(seam)) return [rest]

  const records: Buffer[] = []
  let start = 0
  let depth = 0
  let inString = false
  for (let at = 0; at < rest.length; at++) {
    switch (rest[at]) {
      case 0x5c: // backslash: the next byte does not end the string
        if (inString) at++
        break
      case 0x22: // quotation mark
        inString = !inString
        break
      case 0x7b: // {
        if (!inString) depth++
        break
      case 0x7d: // }
        if (inString || --depth !== 0 || rest[at + 1] !== 0x7b) break
        records.push(rest.subarray(start, at + 1))
        if (at + 1 - start > maxBytes) return records
        start = at + 1
        break
      default:
    }
  }
  return [...records, rest.subarray(start)]
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09 || byte === carriageReturn)
}
