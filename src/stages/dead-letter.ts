import type { ChatfeedError } from '../errors.ts'
import type { Outbox } from '../kafka/outbox.ts'
import type { RecordHeader } from '../kafka/record-batch.ts'
import { metrics } from '../metrics.ts'

/** A record that a stage could not understand, and where it lay. */
export interface DeadLetter {
  stage: string
  key: Buffer | null
  /** The original bytes: the provider's record where the envelope could be opened, otherwise the whole value. */
  value: Buffer | null
  error: ChatfeedError | undefined
  topic: string
  partition: number
  offset: number
  /** `unit#position`, where known. */
  origin?: string
  /** The envelope without its payload: a replay puts both together again. */
  envelope?: Buffer
  /** Headers of the record that its letter keeps. */
  passed: readonly RecordHeader[]
}

/** Adds a dead letter to the transaction of the stage: the record is never in neither place, nor in both. */
export function deadLetter(out: Outbox, deadTopic: string, letter: DeadLetter): void {
  const code = letter.error?.code ?? 'no_value'
  const headers = {
    'chatfeed.error.code': code,
    'chatfeed.error.stage': letter.stage,
    'chatfeed.error.reason': letter.error?.message ?? 'The record has no key or no value.',
    'chatfeed.error.topic': letter.topic,
    'chatfeed.error.partition': String(letter.partition),
    'chatfeed.error.offset': String(letter.offset),
    'chatfeed.origin': letter.origin ?? '',
  }
  out.add(deadTopic, letter.key, letter.value, [
    ...Object.entries(headers).map(([key, value]) => ({ key, value: Buffer.from(value) })),
    ...(letter.envelope ? [{ key: 'chatfeed.envelope', value: letter.envelope }] : []),
    ...letter.passed,
  ])
  metrics.dead.inc({ stage: letter.stage, code })
}
