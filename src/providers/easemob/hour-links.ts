import type { Readable } from 'node:stream'
import { z } from 'zod'
import { ChatfeedError } from '../../errors.ts'
import type { Reading, SourceContext } from '../provider.ts'
import type { EasemobClient } from './client.ts'
import type { EasemobConfig } from './config.ts'
import { openLink } from './download.ts'
import { failed, failedBy } from './failure.ts'
import { hourMs } from './hours.ts'
import { memberOf } from './reply.ts'
import { judgeHour } from './verdicts.ts'

const link = z.object({ url: z.string().trim().min(1) })
/** Documented as an array, spoken of as `data.url`. One entry without a link makes the whole answer unusable. */
const links = z.union([z.array(link), link.transform((one) => [one])])

/** One hour, by its name and its start. */
export interface Hour {
  name: string
  startMs: number
}

/** Asks for the links to history files, and opens them. */
export class HourLinks {
  readonly #config: EasemobConfig
  readonly #client: EasemobClient
  readonly #context: SourceContext

  constructor(config: EasemobConfig, client: EasemobClient, context: SourceContext) {
    this.#config = config
    this.#client = client
    this.#context = context
  }

  /** The links to the files of an hour, or what the provider says instead. Throws as `EasemobClient.get` does. */
  async ask({ name, startMs }: Hour, signal: AbortSignal): Promise<{ links: string[] } | Reading> {
    const ageMs = this.#context.now() - (startMs + hourMs)
    const age = { ageMs, retentionMs: this.#config.retention }
    const { reply, verdict } = await this.#client.get(
      `chatmessages/${name}`,
      (answer) => judgeHour(answer, age),
      signal,
    )
    const { reason, retryAfterMs } = verdict
    switch (verdict.verdict) {
      case 'ready': {
        const data = links.safeParse(memberOf(reply.frame, 'data'))
        if (!data.success) return failed('the answer names no files')
        if (data.data.length > 0) return { links: data.data.map(({ url }) => url) }
        // Not the provider's word for an hour without messages, but nothing to read either.
        const isKept = ageMs < age.retentionMs
        return { state: isKept ? 'empty' : 'lost', reason: 'the answer lists no file' }
      }
      case 'empty':
      case 'lost':
        return { state: verdict.verdict, reason }
      case 'not_yet':
        return { state: 'not_yet', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
      default:
        return failedBy(verdict)
    }
  }

  /** The file behind a link, or the status of the store's refusal. Throws `unreachable`, and the reason of an abort. */
  async open(url: string, signal: AbortSignal): Promise<{ file: Readable } | { status: number }> {
    try {
      const answer = await openLink(url, this.#client.dispatcher, signal)
      this.#context.countRequest('file' in answer ? 'file' : 'file_refused')
      return answer
    } catch (cause) {
      signal.throwIfAborted()
      this.#context.countRequest('unreachable')
      throw new ChatfeedError(
        'transient',
        'unreachable',
        'Easemob: the store of history files does not answer.',
        { cause },
      )
    }
  }
}
