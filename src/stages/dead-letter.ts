import type { ChatfeedError } from '../errors.ts'
import type { Outbox } from '../kafka/outbox.ts'
import type { RecordHeader } from '../kafka/record-batch.ts'
import { metrics } from '../metrics.ts'

/** A record that a stage could not understand or a store not take, and where it lay. */
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
  /** The source, where no envelope tells it. */
  source?: string
  /** The envelope without its payload: a replay puts both together again. */
  envelope?: Buffer
  /** Headers of the record that its letter keeps. */
  passed: readonly RecordHeader[]
}

/** Adds a dead letter to the transaction of the stage: the record is never in neither place, nor in both. */
export function deadLetter(out: Outbox, deadTopic: string, letter: DeadLetter): void {
  out.add(deadTopic, letter.key, letter.value, letterHeaders(letter))
  metrics.dead.inc({ stage: letter.stage, code: codeOf(letter) })
}

/** What tells why a record died, and where it lay. */
export function letterHeaders(letter: DeadLetter): RecordHeader[] {
  const headers = {
    'chatfeed.error.code': codeOf(letter),
    'chatfeed.error.stage': letter.stage,
    'chatfeed.error.reason': letter.error?.message ?? 'The record has no key or no value.',
    'chatfeed.error.topic': letter.topic,
    'chatfeed.error.partition': String(letter.partition),
    'chatfeed.error.offset': String(letter.offset),
    'chatfeed.origin': letter.origin ?? '',
    ...(letter.source !== undefined && { 'chatfeed.source': letter.source }),
  }
  return [
    ...Object.entries(headers).map(([key, value]) => ({ key, value: Buffer.from(value) })),
    ...(letter.envelope ? [{ key: 'chatfeed.envelope', value: letter.envelope }] : []),
    ...letter.passed,
  ]
}

const codeOf = ({ error }: DeadLetter): string => error?.code ?? 'no_value'
