import type { Outcome } from '../attachments/outcome.ts'
import type { Asker } from '../attachments/resolver.ts'
import { withDeadline } from '../deadline.ts'
import type { Outbox } from '../kafka/outbox.ts'
import type { RecordSet } from '../kafka/record-set.ts'
import type { StageTask, TaskPlace } from '../kafka/task.ts'
import { metrics } from '../metrics.ts'
import type { Attachment, Message } from '../model.ts'
import {
  type EnrichOptions,
  type Understood,
  understand,
  understandRecord,
  writeUnderstood,
} from './enrich.ts'
import { FileRetries } from './file-retries.ts'
import { applied, fileRef, type Tried, triedIn } from './tried.ts'

/** How enrich asks for attachments. */
export interface EnrichFilesOptions extends EnrichOptions {
  unique: string
  raw: (provider: string) => string
  /** The topic of what is to be tried again. */
  attachments: string
  /** Never rejects; answers as soon as its signal aborts. */
  resolve: (attachment: Attachment, asker: Asker, signal: AbortSignal) => Promise<Outcome>
  /** How long a set of records waits for its attachments; what is not there by then is tried again later. */
  timeoutMs: number
  retryAfterMs: number
  keepMs: number
}

/**
 * Enrich that asks for the attachments of messages: those of a set of records side by side, written in the order of the
 * records. None holds up its message for longer than the time limit; what failed is tried again later.
 */
export function openEnrichWithFiles(options: EnrichFilesOptions, place: TaskPlace): StageTask {
  const { providers, timeoutMs, resolve } = options
  const retries = new FileRetries(
    {
      codec: options.codecs.rawMessage,
      topic: options.attachments,
      unique: options.unique,
      raw: options.raw,
      retryAfterMs: options.retryAfterMs,
      keepMs: options.keepMs,
      understand: (raw) => understand(raw, providers),
      ask: (message, before, signal) => askFor(message, before, 'later', signal),
    },
    place,
  )
  return {
    stateTopic: options.attachments,
    restore(records) {
      for (const record of records) retries.restore(record)
    },
    async process(records, out) {
      const now = Date.now()
      const found: Understood[] = []
      const before: (Tried | null)[] = []
      for (const record of records) {
        found.push(understandRecord(record, options, now))
        before.push(triedIn(record))
      }
      const tried = await withDeadline(timeoutMs, place.signal, (signal) =>
        Promise.all(found.map(({ message }, at) => tryFiles(message, before[at] ?? null, now, signal))),
      )
      // What was broken off counts as failed; told to end, the task takes the same records again.
      place.signal.throwIfAborted()
      writeAll(records, found, tried, out, now)
      metrics.processed.inc({ stage: 'enrich' }, found.length)
    },
    tick: (out) => {
      retries.tick(out)
    },
    close: () => retries.close(),
  }

  function writeAll(
    records: RecordSet,
    found: readonly Understood[],
    tried: readonly (Tried | null)[],
    out: Outbox,
    now: number,
  ): void {
    let at = 0
    for (const record of records) {
      const understood = found[at]!
      const outcome = tried[at++]!
      const { message } = understood
      if (message && outcome) message.attachments = applied(message, outcome)
      const isWritten = writeUnderstood(record, records, understood, options, out, now)
      if (message) retries.note(message.id, record.offset, isWritten ? outcome : null, out)
    }
  }

  /** Null for a message without attachments. */
  async function tryFiles(
    message: Message | undefined,
    before: Tried | null,
    now: number,
    signal: AbortSignal,
  ): Promise<Tried | null> {
    if (!message || message.attachments.length === 0) return null
    if (before) return before
    const first: Tried = { attempts: 1, firstTriedAt: now, outcomes: {} }
    return { ...first, outcomes: await askFor(message, first, 'now', signal) }
  }

  /** Asks for what is not known yet, or may go better now. */
  async function askFor(
    { attachments, source, kind }: Message,
    { outcomes }: Tried,
    urgency: Asker['urgency'],
    signal: AbortSignal,
  ): Promise<Record<string, Outcome>> {
    const asked = new Map(attachments.map((attachment) => [fileRef(attachment), attachment]))
    const answers = [...asked].map(async ([ref, attachment]): Promise<[string, Outcome]> => {
      const known = outcomes[ref]
      if (known && !known.retry) return [ref, known]
      return [ref, await resolve(attachment, { source, kind, urgency }, signal)]
    })
    return Object.fromEntries(await Promise.all(answers))
  }
}
