import { Producer } from '../kafka/producer.ts'
import type { Letter } from './letter.ts'
import { Refusals, type RefusedLetters } from './refusals.ts'
import { replayOf, type ReplayTargets } from './replay.ts'
import { ResolutionLog, type ResolutionLogOptions } from './resolution-log.ts'

/** What a replay came to. */
export interface ReplayResult {
  replayed: number
  refused: RefusedLetters[]
}

/** Letters between two waits for the broker: after a crash so many are put back again at most. */
const chunkLetters = 250

/**
 * Puts letters back into their raw topics. That a letter was replayed is written down only when the raw topic has
 * acknowledged it; one that is put back twice by that is the same content of the same message, which dedup drops.
 */
export async function replayLetters(
  letters: AsyncIterable<Letter>,
  options: ReplayTargets & ResolutionLogOptions,
): Promise<ReplayResult> {
  const { kafka, log, signal } = options
  const producers = new Map<string, Producer>()
  const refusals = new Refusals()
  const resolutions = await ResolutionLog.open(options)
  const settle = async () => {
    for (const producer of producers.values()) await producer.flush()
    await resolutions.flush()
  }
  try {
    for await (const letter of letters) {
      const replay = replayOf(letter, options)
      if ('refusal' in replay) {
        refusals.add(letter, replay.refusal)
        continue
      }
      const { topic, key, value, headers } = replay
      const producer = producers.get(topic) ?? (await Producer.open(kafka, log, topic, { signal }))
      producers.set(topic, producer)
      await producer.add(key, value, headers)
      resolutions.add(letter, { outcome: 'replayed', at: Date.now(), reason: null })
      if (resolutions.waiting >= chunkLetters) await settle()
    }
    await settle()
    return { replayed: resolutions.written, refused: refusals.byReason() }
  } finally {
    for (const producer of producers.values()) await producer.close()
    await resolutions.close()
  }
}

/** Writes down that letters are given up, and why. Returns their number. */
export async function discardLetters(
  letters: AsyncIterable<Letter>,
  reason: string,
  options: ResolutionLogOptions,
): Promise<number> {
  const resolutions = await ResolutionLog.open(options)
  try {
    for await (const letter of letters) {
      resolutions.add(letter, { outcome: 'discarded', at: Date.now(), reason })
      if (resolutions.waiting >= chunkLetters) await resolutions.flush()
    }
    await resolutions.flush()
    return resolutions.written
  } finally {
    await resolutions.close()
  }
}
