import { hash } from 'node:crypto'
import type { Codec } from '../avro.ts'
import type { Outcome } from '../attachments/outcome.ts'
import { withDeadline } from '../deadline.ts'
import { ChatfeedError } from '../errors.ts'
import type { Outbox } from '../kafka/outbox.ts'
import type { RecordView } from '../kafka/record-set.ts'
import type { TaskPlace } from '../kafka/task.ts'
import type { Message, RawMessage } from '../model.ts'
import { isUnfinished, type PendingFiles, pendingIn } from './pending-files.ts'
import { filesHeader, type Tried } from './tried.ts'

/** What a later attempt works with. */
export interface RetryOptions {
  codec: Codec<RawMessage>
  /** The topic that keeps what is to be tried again. */
  topic: string
  unique: string
  raw: (provider: string) => string
  understand: (raw: RawMessage) => Message
  /** Asks for what of a message is to be asked for again; answers what became of all of it. */
  ask: (message: Message, before: Tried, signal: AbortSignal) => Promise<Record<string, Outcome>>
  /** How long the first wait is; each is four times as long as the one before. */
  retryAfterMs: number
  /** Nothing is tried again after this long: the provider has no file so long. */
  keepMs: number
}

/** An attempt that has ended. */
interface Finished {
  id: string
  before: PendingFiles
  /** Null where the message cannot be tried again. */
  after: { raw: RawMessage; outcomes: Record<string, Outcome> } | null
}

const longestWaitMs = 12 * 3_600_000
/** At once, of one task: a message on its way goes first, and a later attempt is in no hurry. */
const mostRunning = 4
const lookEveryMs = 500
/** An attempt that could not be made is made again after this long. */
const afterTroubleMs = 60_000
/** For all attachments of one message: nobody waits for it. */
const attemptMs = 300_000

/**
 * Tries again what failed of a partition's attachments, beside the records that pass. Where it brings something new,
 * the message goes back into its raw topic as a new content, as old as it was: so dedup gives it a revision, and a
 * newer content of the message wins. What is still to be tried is kept in a topic, in the transactions of the task.
 */
export class FileRetries {
  readonly #options: RetryOptions
  readonly #place: TaskPlace
  readonly #pending = new Map<string, PendingFiles>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()
  #finished: Finished[] = []
  #lookedAt = 0

  constructor(options: RetryOptions, place: TaskPlace) {
    this.#options = options
    this.#place = place
  }

  restore(record: RecordView): void {
    const id = record.key()?.toString() ?? ''
    const value = record.value()
    const pending = value && pendingIn(value)
    if (pending) this.#pending.set(id, pending)
    else this.#pending.delete(id)
  }

  /** What became of the attachments of the newest revision of a message, at an offset of `unique`. */
  note(id: string, offset: number, tried: Tried | null, out: Outbox, nowMs = Date.now()): void {
    const next = tried && this.#next({ ...tried, offset, nextTryAt: 0 }, nowMs)
    if (next || this.#pending.has(id)) this.#keep(id, next, out)
  }

  /** Writes what came of attempts, and begins those that are due. */
  tick(out: Outbox, nowMs = Date.now()): void {
    for (const finished of this.#finished.splice(0)) this.#settle(finished, out, nowMs)
    if (nowMs - this.#lookedAt < lookEveryMs) return
    this.#lookedAt = nowMs
    for (const [id, entry] of this.#pending) {
      if (this.#running.size >= mostRunning) return
      if (entry.nextTryAt > nowMs || this.#running.has(id)) continue
      const running = this.#attempt(id, entry).finally(() => this.#running.delete(id))
      this.#running.set(id, running)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#running.values())
  }

  /** Never rejects. */
  async #attempt(id: string, before: PendingFiles): Promise<void> {
    const { signal: closing } = this.#closing
    try {
      const after = await withDeadline(attemptMs, closing, (signal) => this.#ask(id, before, signal))
      if (!closing.aborted) this.#finished.push({ id, before, after })
    } catch (error) {
      // What can no longer be read is not tried again; where Kafka is away, the task meets that too.
      const isLost = error instanceof ChatfeedError && error.remedy !== 'transient'
      if (isLost) this.#finished.push({ id, before, after: null })
      // Otherwise it would be due again at once, for ever.
      else if (this.#pending.get(id) === before)
        this.#pending.set(id, { ...before, nextTryAt: Date.now() + afterTroubleMs })
    }
  }

  async #ask(id: string, before: PendingFiles, signal: AbortSignal): Promise<Finished['after']> {
    const { understand, ask } = this.#options
    const raw = await this.#read(id, before.offset, signal)
    return raw && { raw, outcomes: await ask(understand(raw), before, signal) }
  }

  /** Null where another record lies there. */
  async #read(id: string, offset: number, signal: AbortSignal): Promise<RawMessage | null> {
    for await (const records of this.#place.read(this.#options.unique, offset, offset + 1, signal))
      for (const record of records)
        if (record.offset === offset && record.key()?.toString() === id)
          return this.#options.codec.decode(record.value() ?? Buffer.alloc(0))
    signal.throwIfAborted()
    return null
  }

  #settle({ id, before, after }: Finished, out: Outbox, nowMs: number): void {
    // A newer revision came meanwhile.
    if (this.#pending.get(id) !== before) return
    if (after === null) {
      this.#keep(id, null, out)
      return
    }
    const { raw, outcomes } = after
    const now: Tried = { attempts: before.attempts + 1, firstTriedAt: before.firstTriedAt, outcomes }
    if (!isNews(before.outcomes, outcomes)) {
      this.#keep(id, this.#next({ ...before, ...now }, nowMs), out)
      return
    }
    const value = this.#options.codec.encode({
      ...raw,
      revision: 0,
      fingerprint: fingerprintOf(raw.fingerprint, outcomes),
    })
    out.add(this.#options.raw(raw.provider), Buffer.from(id), value, [filesHeader(now)])
    this.#keep(id, null, out)
  }

  /** When it is tried again; null for what is finished, or has been tried for long enough. */
  #next(tried: PendingFiles, nowMs: number): PendingFiles | null {
    const { retryAfterMs, keepMs } = this.#options
    const waitMs = Math.min(retryAfterMs * 4 ** (tried.attempts - 1), longestWaitMs)
    const nextTryAt = Math.round(nowMs + waitMs * (0.9 + 0.2 * Math.random()))
    return isUnfinished(tried) && nextTryAt <= tried.firstTriedAt + keepMs ? { ...tried, nextTryAt } : null
  }

  #keep(id: string, pending: PendingFiles | null, out: Outbox): void {
    if (pending) this.#pending.set(id, pending)
    else this.#pending.delete(id)
    out.add(this.#options.topic, Buffer.from(id), pending && Buffer.from(JSON.stringify(pending)))
  }
}

/** Whether the message would say something else. */
function isNews(before: Record<string, Outcome>, after: Record<string, Outcome>): boolean {
  return Object.entries(after).some(([ref, { state }]) => state !== before[ref]?.state)
}

/** The same one for the same news, however often it is written. */
function fingerprintOf(fingerprint: Buffer, outcomes: Record<string, Outcome>): Buffer {
  return hash(
    'md5',
    Buffer.concat([fingerprint, Buffer.from(`attachments ${JSON.stringify(outcomes)}`)]),
    'buffer',
  )
}
