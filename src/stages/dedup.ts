import { headerBytes, rawMessageCodec } from '../avro.ts'
import { ChatfeedError } from '../errors.ts'
import type { Outbox } from '../kafka/outbox.ts'
import type { RecordSet, RecordView } from '../kafka/record-set.ts'
import type { StageTask } from '../kafka/task.ts'
import { metrics } from '../metrics.ts'
import { messageId, type RawMessage } from '../model.ts'
import { deadLetter } from './dead-letter.ts'
import { passedHeaders } from './replays.ts'
import { SeenMessages } from './seen-messages.ts'

/** Topics and window of dedup. */
export interface DedupOptions {
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
  const seen = new SeenMessages(options.windowMs)
  return {
    stateTopic: options.unique,
    restore(records) {
      for (const record of records) {
        const message = decode(record.value())
        if (message instanceof ChatfeedError) continue // written by someone else: nothing can repeat it
        const { id, fingerprint, fetchedAt, revision } = message
        seen.accept(id, fingerprint, fetchedAt, record.timestampMs, revision)
      }
    },
    process(records, out) {
      seen.forgetOld(Date.now())
      let taken = 0
      for (const record of records) {
        taken++
        pass(record, records, out)
      }
      metrics.processed.inc({ stage: 'dedup' }, taken)
    },
  }

  function pass(record: RecordView, { topic, partition }: RecordSet, out: Outbox): void {
    const key = record.key()
    const value = record.value()
    const message = decode(value)
    if (message instanceof ChatfeedError || !key || !value) {
      const error = message instanceof ChatfeedError ? message : undefined
      deadLetter(out, options.dead, {
        stage: 'dedup',
        key,
        value,
        error,
        topic,
        partition,
        offset: record.offset,
        passed: passedHeaders(record),
      })
      return
    }
    const verdict = seen.judge(message.id, message.fingerprint, message.fetchedAt)
    if (verdict !== 'new' && !(verdict === 'stale' && isFiledByPlace(message))) {
      metrics.duplicates.inc({ reason: verdict })
      return
    }
    const revision = seen.accept(message.id, message.fingerprint, message.fetchedAt, Date.now())
    out.add(options.unique, key, withRevision(value, revision), passedHeaders(record))
    metrics.delay.observe({ stage: 'dedup' }, (Date.now() - message.fetchedAt) / 1_000)
  }
}

/** A record without an id of its own: at its place in another file of that name stands another record, no newer state. */
function isFiledByPlace({ id, provider, tenant, origin }: RawMessage): boolean {
  return id === messageId(provider, tenant, origin)
}

function decode(value: Buffer | null): RawMessage | ChatfeedError {
  try {
    return rawMessageCodec.decode(value ?? Buffer.alloc(0))
  } catch (error) {
    if (error instanceof ChatfeedError) return error
    throw error
  }
}

/** The same bytes with the revision in place of the 0 behind the header: `revision` is the first field of the schema. */
function withRevision(value: Buffer, revision: number): Buffer {
  const varint: number[] = []
  let rest = revision * 2 // zigzag
  for (; rest > 0x7f; rest >>>= 7) varint.push((rest & 0x7f) | 0x80)
  varint.push(rest)
  return Buffer.concat([value.subarray(0, headerBytes), Buffer.from(varint), value.subarray(headerBytes + 1)])
}
