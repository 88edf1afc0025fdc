import type { Codecs } from '../codecs.ts'
import { ChatfeedError } from '../errors.ts'
import type { RecordView } from '../kafka/record-set.ts'
import type { RawMessage } from '../model.ts'
import { replaysIn } from '../stages/replays.ts'
import type { Resolution } from './resolution.ts'

/** What `dead list` tells of a letter; never its text. */
export interface LetterSummary {
  /** The message id, which is the key; null where the record had none. */
  id: string | null
  /** `PARTITION:OFFSET` in the topic `dead`: one letter, also where it has no id or shares it with others. */
  address: string
  code: string
  stage: string
  reason: string
  /** `unit#position`; `''` where it could not be read. */
  origin: string
  /** Null where nothing tells it. */
  source: string | null
  /** Topic, partition and offset of the record that could not be understood. */
  topic: string
  partition: number
  offset: number
  /** When it died, epoch milliseconds. */
  at: number
  /** How often it had been put back before it died. */
  replays: number
}

/** `PARTITION:OFFSET` in the topic `dead`. */
export function addressOf({ partition, offset }: { partition: number; offset: number }): string {
  return `${partition}:${offset}`
}

/** One record of `dead` with its key and headers copied; `value` is valid until the next letter is read only. */
export class Letter {
  readonly #codecs: Codecs
  readonly deadPartition: number
  readonly deadOffset: number
  readonly atMs: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReadonlyMap<string, Buffer>
  /** What became of it, where that was asked for. */
  resolution: Resolution | undefined

  constructor(codecs: Codecs, partition: number, record: RecordView) {
    this.#codecs = codecs
    const key = record.key()
    this.deadPartition = partition
    this.deadOffset = record.offset
    this.atMs = record.timestampMs
    this.key = key && Buffer.from(key)
    this.value = record.value()
    this.headers = new Map([...record.headers()].map(([name, value]) => [name, Buffer.from(value)]))
  }

  get id(): string | null {
    return this.key && this.key.toString()
  }

  get address(): string {
    return addressOf({ partition: this.deadPartition, offset: this.deadOffset })
  }

  get replays(): number {
    return replaysIn(this.headers)
  }

  /** Text of a header; `''` where it is missing, as in a record that someone else wrote there. */
  text(name: string): string {
    return this.headers.get(name)?.toString() ?? ''
  }

  /** The raw message as enrich met it; null where it met none, or one of another version. Throws `transient` as the codec does. */
  raw(): RawMessage | null {
    const envelope = this.headers.get('chatfeed.envelope')
    if (!envelope) return null
    try {
      return { ...this.#codecs.rawMessage.decode(envelope), payload: this.value ?? Buffer.alloc(0) }
    } catch (error) {
      if (error instanceof ChatfeedError && error.remedy === 'message') return null
      throw error
    }
  }

  /** The source of the record; null where nothing tells. */
  get source(): string | null {
    return this.headers.get('chatfeed.source')?.toString() ?? this.raw()?.source ?? null
  }

  summary(): LetterSummary {
    return {
      id: this.id,
      address: this.address,
      code: this.text('chatfeed.error.code'),
      stage: this.text('chatfeed.error.stage'),
      reason: this.text('chatfeed.error.reason'),
      origin: this.text('chatfeed.origin'),
      source: this.source,
      topic: this.text('chatfeed.error.topic'),
      partition: Number(this.text('chatfeed.error.partition')),
      offset: Number(this.text('chatfeed.error.offset')),
      at: this.atMs,
      replays: this.replays,
    }
  }
}
