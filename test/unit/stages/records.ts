import { rawMessageCodec } from '../../support/codecs.ts'
import type { Outbox } from '../../../src/kafka/outbox.ts'
import { encodeBatch, RecordBatchWriter, type SealedBatch } from '../../../src/kafka/record-batch.ts'
import { RecordSet } from '../../../src/kafka/record-set.ts'
import type { RawMessage } from '../../../src/model.ts'

/** A record as a stage reads or writes it. */
export interface PlainRecord {
  key: Buffer | null
  value: Buffer | null
  headers?: Record<string, string | Buffer>
}

const owner = { producerId: 1n, producerEpoch: 0, baseSequence: 0, transactional: false }

/** The batches as a broker would hand them out, from `baseOffset` on. */
function fetched(topic: string, batches: readonly SealedBatch[], baseOffset: number): RecordSet {
  let offset = baseOffset
  const bytes = batches.map((batch) => {
    const encoded = encodeBatch(batch, owner)
    encoded.writeBigInt64BE(BigInt(offset), 0)
    offset += batch.records
    return encoded
  })
  return new RecordSet(topic, 3, baseOffset, Buffer.concat(bytes), [])
}

/** Records of partition 3 of a topic, as they would be fetched. */
export function recordSet(
  records: readonly PlainRecord[],
  { topic = 'raw.easemob', baseOffset = 100, timestampMs = Date.now() } = {},
): RecordSet {
  if (records.length === 0) return fetched(topic, [], baseOffset)
  const batch = new RecordBatchWriter()
  for (const { key, value, headers = {} } of records) {
    batch.append(
      key,
      value,
      Object.entries(headers).map(([name, text]) => ({ key: name, value: Buffer.from(text) })),
    )
  }
  return fetched(topic, [batch.seal(timestampMs)], baseOffset)
}

/** What a stage has put into its outbox since the last call, by topic. */
export function taken(out: Outbox): Record<string, RecordSet> {
  return Object.fromEntries(
    out.take().map(({ topic, batches }) => [topic, fetched(topic, batches, 0)] as const),
  )
}

/** Copies of the records of a set; headers as text. */
export function plainRecords(
  records: RecordSet | undefined,
): (PlainRecord & { headers: Record<string, string> })[] {
  // Mapped one by one: the view is the same object at every step.
  return Array.from(records ?? [], (record) => ({
    key: record.key() && Buffer.from(record.key()!),
    value: record.value() && Buffer.from(record.value()!),
    headers: Object.fromEntries(
      [...record.headers()].map(([name, value]) => [name, value.toString('latin1')]),
    ),
  }))
}

/** A raw record under its key. */
export function rawRecord(fields: Partial<RawMessage> & { id: string }): PlainRecord {
  const value = rawMessageCodec.encode({
    revision: 0,
    provider: 'easemob',
    source: 'support',
    tenant: 'acme#helpdesk',
    origin: '2026112310#1',
    fingerprint: Buffer.alloc(16),
    sentAt: null,
    fetchedAt: 1_000,
    payload: Buffer.from('{}'),
    ...fields,
  })
  return { key: Buffer.from(fields.id), value: Buffer.from(value) }
}
