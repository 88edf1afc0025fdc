import { hash } from 'node:crypto'
import type { Codecs } from '../codecs.ts'
import { ChatfeedError, isTransient } from '../errors.ts'
import type { RecordHeader } from '../kafka/record-batch.ts'
import { messageId, type RawMessage } from '../model.ts'
import type { Provider } from '../providers/provider.ts'
import { understand } from '../stages/enrich.ts'
import { isSinkStage, sinkStage } from '../stages/names.ts'
import { replaysHeader } from '../stages/replays.ts'
import type { Topics } from '../topics.ts'
import type { Letter } from './letter.ts'

/** A letter as it is put back; valid until the next letter is read. */
export interface Replay {
  topic: string
  key: Buffer
  value: Buffer
  headers: readonly RecordHeader[]
}

/** Where letters can go, and who knows them. */
export interface ReplayTargets {
  codecs: Codecs
  topics: Topics
  providers: ReadonlyMap<string, Provider>
}

/** Why a letter cannot be put back: it can only be discarded, or wait for another version. */
export interface Refusal {
  refusal: string
}

/** The record that brings a letter back to the raw topic, where dedup meets it. */
export function replayOf(letter: Letter, targets: ReplayTargets): Replay | Refusal {
  const { codecs, topics, providers } = targets
  const replays = letter.replays + 1
  const headers = replaysHeader(replays)
  const stage = letter.text('chatfeed.error.stage')
  if (isSinkStage(stage)) return { refusal: refusedByStore(stage) }
  const raw = letter.raw()
  if (!raw) return asItCame(letter, headers, targets)
  const provider = providers.get(raw.provider)
  if (!provider) return { refusal: `This version knows no provider ${raw.provider}.` }
  const revived = revive(raw, replays, provider)
  return {
    topic: topics.raw(provider.name),
    key: Buffer.from(revived.id),
    value: Buffer.from(codecs.rawMessage.encode(revived)),
    headers,
  }
}

/** It was understood and lies in `messages`: only its store did not take it. */
const refusedByStore = (stage: string): string =>
  `The store of ${stage} refused it, and it lies in messages: mend the cause, ` +
  `then carry it again with chatfeed sink rebuild ${stage.slice(sinkStage('').length)}.`

/** What would become of it in this version: `understood`, or the code under which it would die again. */
export function foresee({ value }: Replay, { codecs, providers }: ReplayTargets): string {
  try {
    understand(codecs.rawMessage.decode(value), providers)
    return 'understood'
  } catch (error) {
    if (isTransient(error)) throw error
    return error instanceof ChatfeedError ? error.code : 'not_understood'
  }
}

/**
 * A record that was filed under its place gets its real id where this version finds one, and is then what any other
 * copy of the message is. Otherwise the replay counts as a new content of its message, for the old one is known to
 * dedup: the same one for the same letter however often it is written, and as old as it was, so that a newer
 * content wins.
 */
function revive(raw: RawMessage, replays: number, provider: Provider): RawMessage {
  const { tenant, origin, payload } = raw
  const found = provider.identify(payload)
  if (found.messageId !== null && raw.id === messageId(provider.name, tenant, origin)) {
    const id = messageId(provider.name, tenant, found.messageId)
    return { ...raw, revision: 0, id, fingerprint: found.fingerprint, sentAt: found.sentAt }
  }
  const fingerprint = hash(
    'md5',
    Buffer.concat([raw.fingerprint, Buffer.from(`replay ${replays}`)]),
    'buffer',
  )
  return { ...raw, revision: 0, fingerprint }
}

/** A record that was no raw message when dedup met it: back to where it lay, as it was. */
function asItCame(
  letter: Letter,
  headers: readonly RecordHeader[],
  { topics, providers }: ReplayTargets,
): Replay | Refusal {
  const { key, value } = letter
  const topic = letter.text('chatfeed.error.topic')
  const isRaw = [...providers.keys()].some((provider) => topic === topics.raw(provider))
  if (!isRaw) return { refusal: 'It came from no raw topic, and has no envelope that this version reads.' }
  if (!key || !value) return { refusal: 'It has no key or no value.' }
  return { topic, key, value, headers }
}
