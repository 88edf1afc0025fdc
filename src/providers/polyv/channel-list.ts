import { ChatfeedError } from '../../errors.ts'
import type { Logger } from '../../log.ts'
import { itemsOf } from '../slices.ts'
import { isRefusal, type Client } from './client/client.ts'
import { objectOf, parseOrNull, word } from './message/item.ts'

const mend = 'List the channel numbers under channels instead of all.'
const keptMs = 10 * 60_000
const retryMs = 60_000

/** Asks for the channels of the account. Throws what the client throws, and `transient` for a refusal or an answer without a list. */
export async function askChannels(
  client: Pick<Client, 'ask'>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const answer = await client.ask({ method: 'GET', path: '/live/v3/user/channels', params: {} }, signal)
  if (isRefusal(answer)) {
    throw new ChatfeedError('transient', answer.code, `The list of channels: ${answer.reason}`, {
      mend,
      ...(answer.retryAfterMs !== undefined && { retryAfterMs: answer.retryAfterMs }),
    })
  }
  const items = itemsOf(answer, ['data', 'channels'])
  const channels = items?.map(channelOf).filter((channel) => channel !== null)
  if (!channels || (items && items.length > 0 && channels.length === 0)) {
    const message = 'Polyv answers with success but without channels.'
    throw new ChatfeedError('transient', 'answer_shape', message, { mend })
  }
  return [...new Set(channels)]
}

/** The number of one channel, given as such or as an object that holds it (facts: Polyv docs, recorded answers). */
function channelOf(item: Buffer): string | null {
  const value = parseOrNull(item.toString())
  const number = word(objectOf(value)?.channelId ?? value)
  return /^\d{1,20}$/.test(number) ? number : null
}

/** The channels of the account, asked for now and then. */
export class ChannelList {
  readonly #client: Pick<Client, 'ask'>
  readonly #log: Logger
  #channels: readonly string[] | undefined
  #askAtMs = -Infinity

  constructor(client: Pick<Client, 'ask'>, log: Logger) {
    this.#client = client
    this.#log = log
  }

  /** Throws what `askChannels` throws as long as there is no list; later the last one is good until the next answer. */
  async channels(nowMs: number, signal: AbortSignal): Promise<readonly string[]> {
    if (this.#channels && nowMs < this.#askAtMs) return this.#channels
    try {
      this.#channels = await askChannels(this.#client, signal)
      this.#askAtMs = nowMs + keptMs
      if (this.#channels.length === 0)
        this.#log.warn('Polyv knows of no channel in this account: check appId, or list the channels.')
    } catch (error) {
      if (!this.#channels || signal.aborted || !(error instanceof ChatfeedError)) throw error
      this.#log.warn({ code: error.code }, 'The list of channels cannot be had now; the last one is used on.')
      this.#askAtMs = nowMs + (error.retryAfterMs ?? retryMs)
    }
    return this.#channels
  }
}
