import type { Codec } from '../avro.ts'
import { ChatfeedError } from '../errors.ts'
import type { Outbox } from '../kafka/outbox.ts'
import type { RecordSet, RecordView } from '../kafka/record-set.ts'
import type { StageTask } from '../kafka/task.ts'
import { metrics } from '../metrics.ts'
import { messageId, type RawMessage } from '../model.ts'
import { deadLetter } from './dead-letter.ts'
import { decodeRecord, DedupRecord } from './dedup-record.ts'
import { passedHeaders } from './passed-headers.ts'
import { replaysOf } from './replays.ts'
import { SeenMessages, type Verdict } from './seen-messages.ts'

/** Topics and window of dedup. */
export interface DedupOptions {
  codec: Codec<RawMessage>
  unique: string
  dead: string
  /** How long a repeat is recognised. */
  windowMs: number
}

/**
 * Passes the first record of every (id, fingerprint) and numbers the revisions of an id. A repeat is dropped; so
 * is a stale copy, fetched before the newest accepted copy of its id. What was accepted is a set that only
 * grows, so replays and second looks change nothing, in whatever order they come. Its state is a view of its
 * own partition of `unique`.
 */
export function openDedup(options: DedupOptions): StageTask {
  const { codec } = options
  const seen = new SeenMessages(options.windowMs)
  const message = new DedupRecord(codec)
  const delays = metrics.delay.of('dedup')
  return {
    stateTopic: options.unique,
    restore(records) {
      for (const record of records) {
        const error = message.read(record)
        // Without what it has accepted, every message would count as new.
        if (error?.code === 'registry_needed')
          throw new ChatfeedError('fatal', error.code, error.message, {
            cause: error,
            ...(error.mend && { mend: error.mend }),
          })
        if (error) continue // written by someone else: nothing can repeat it
        seen.accept(message.content, message.fetchedAt, record.timestampMs, message.revision)
      }
    },
    process(records, out) {
      const nowMs = Date.now()
      seen.forgetOld(nowMs)
      const counts = { processed: 0, repeat: 0, stale: 0 }
      for (const record of records) {
        counts.processed++
        const verdict = pass(record, records, out, nowMs)
        if (verdict !== 'new') counts[verdict]++
      }
      metrics.processed.inc({ stage: 'dedup' }, counts.processed)
      for (const reason of ['repeat', 'stale'] as const)
        if (counts[reason] > 0) metrics.duplicates.inc({ reason }, counts[reason])
    },
  }

  /** Writes the record to `unique` or `dead`, or leaves it out. */
  function pass(record: RecordView, { topic, partition }: RecordSet, out: Outbox, nowMs: number): Verdict {
    const error = message.read(record)
    if (error || record.keyEnd < 0) {
      deadLetter(out, options.dead, {
        stage: 'dedup',
        key: record.key(),
        value: record.value(),
        error,
        topic,
        partition,
        offset: record.offset,
        passed: replaysOf(record),
      })
      return 'new'
    }
    const { content, fetchedAt } = message
    const verdict = seen.judge(content, fetchedAt)
    if (verdict === 'repeat' || (verdict === 'stale' && !isFiledByPlace(codec, record))) return verdict
    const revision = seen.accept(content, fetchedAt, nowMs)
    const headers = passedHeaders(record)
    const { revisionAt, revisionEnd } = message
    const isFramedSo = record.buffer[record.valueStart] === codec.header[0]
    if (revision < 64 && revisionEnd === revisionAt + 1 && isFramedSo)
      out.addChanged(options.unique, record, revisionAt, 2 * revision, headers)
    else out.add(options.unique, record.key(), withRevision(record, revision), headers)
    delays.add((nowMs - fetchedAt) / 1_000)
    return 'new'
  }

  /**
   * The value with another revision, the first field of our schema. What another schema wrote is written anew by ours:
   * only so the header and the bytes behind it stay true to each other, and `unique` has one framing.
   */
  function withRevision({ buffer, valueEnd }: RecordView, revision: number): Buffer {
    const { foreign, revisionEnd } = message
    if (foreign) return codec.encode({ ...foreign, revision })
    const varint: number[] = []
    let rest = revision * 2 // zigzag
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) varint.push((rest & 0x7f) | 0x80)
    varint.push(rest)
    return Buffer.concat([codec.header, Buffer.from(varint), buffer.subarray(revisionEnd, valueEnd)])
  }
}

/** A record without an id of its own: at its place in another file of that name stands another record, no newer state. */
function isFiledByPlace(codec: Codec<RawMessage>, record: RecordView): boolean {
  const message = decodeRecord(codec, record)
  if (message instanceof ChatfeedError) return false
  const { id, provider, tenant, origin } = message
  return id === messageId(provider, tenant, origin)
}
