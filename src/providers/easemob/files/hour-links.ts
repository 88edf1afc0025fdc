import type { Readable } from 'node:stream'
import { ChatfeedError } from '../../../errors.ts'
import type { Reading, SourceContext } from '../../provider.ts'
import type { EasemobClient } from '../rest/client.ts'
import type { EasemobConfig } from '../config.ts'
import { isLink, openLink } from './download.ts'
import { failed, failedBy } from '../rest/failure.ts'
import { hourMs } from '../hours.ts'
import { asObject } from '../message/records.ts'
import { memberOf } from '../rest/reply.ts'
import { judgeHour } from '../rest/verdicts.ts'

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
        const links = linksIn(memberOf(reply.frame, 'data'))
        if (links === null) return failed('the answer names no files')
        // A file that is left out would be an hour that looks whole.
        if (!links.every(isLink)) return failed('the answer names a file by what is no link')
        if (links.length > 0) return { links }
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

/** Documented as an array of objects, spoken of as `data.url`; what is no text becomes no link. Null without data. */
function linksIn(data: unknown): string[] | null {
  if (data === undefined || data === null) return null
  return (Array.isArray(data) ? data : [data]).map((entry: unknown) => {
    const link = asObject(entry)?.url ?? entry
    return typeof link === 'string' ? link.trim() : ''
  })
}
