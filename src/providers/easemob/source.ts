import type { Readable } from 'node:stream'
import { z } from 'zod'
import { sinceMs } from '../../duration.ts'
import { ChatfeedError } from '../../errors.ts'
import type { LedgerEntry } from '../../model.ts'
import { coverFrom } from '../coverage.ts'
import type { Finding, Publish, Reading, Source, SourceContext, Unit } from '../provider.ts'
import { EasemobClient } from './client.ts'
import type { EasemobConfig } from './config.ts'
import { openLink } from './download.ts'
import { HourReader } from './hour-file.ts'
import { hourMs, hourName, hourStart, parseHour } from './hours.ts'
import { judgeHour } from './verdicts.ts'

const link = z.object({ url: z.string() })
/** Documented as an array, spoken of as `data.url`. */
const linksBody = z.object({ data: z.union([z.array(link), link.transform((one) => [one])]) })

/** Reads the history files of one Easemob app, one an hour. */
export class EasemobSource implements Source {
  readonly name: string
  readonly provider = 'easemob'
  readonly tenant: string
  readonly #config: EasemobConfig
  readonly #context: SourceContext
  readonly #client: EasemobClient

  constructor(config: EasemobConfig, tenant: string, context: SourceContext) {
    this.name = config.name
    this.tenant = tenant
    this.#config = config
    this.#context = context
    this.#client = new EasemobClient(config, context)
  }

  units(nowMs: number, known: ReadonlyMap<string, LedgerEntry>): Promise<Unit[]> {
    const { since, timeZone, settle, lookAgain, retention } = this.#config
    const wantedMs = Math.max(sinceMs(since, nowMs), nowMs - retention)
    const fromMs = coverFrom(wantedMs, known, (unit) => parseHour(unit, timeZone))
    const units: Unit[] = []
    for (let startMs = hourStart(fromMs, timeZone); startMs <= nowMs; startMs += hourMs) {
      const endMs = startMs + hourMs
      units.push({
        name: hourName(startMs, timeZone),
        opensAt: endMs + settle,
        closesAt: endMs + settle,
        pollEveryMs: null,
        lookAgainMs: lookAgain,
        deadline: endMs + retention,
      })
    }
    return Promise.resolve(units)
  }

  async read(unit: Unit, publish: Publish, signal: AbortSignal): Promise<Reading> {
    const startMs = parseHour(unit.name, this.#config.timeZone)
    if (startMs === null) return failed('the unit is no hour of this provider')
    const answer = await this.#ask(unit.name, startMs, signal)
    if ('state' in answer) return answer

    let inside = 0
    const reader = new HourReader((record) => {
      if (record.sentAt !== null && hourStart(record.sentAt, this.#config.timeZone) === startMs) inside++
      return publish(record)
    }, signal)
    let { links } = answer
    for (let at = 0; at < links.length; at++) {
      let file = await this.#open(links[at]!, signal)
      if (file === null) {
        // A link lives 30 minutes: it can die while the files before it are read.
        const again = await this.#ask(unit.name, startMs, signal)
        if (!('links' in again) || again.links.length !== links.length)
          return failed('the files changed meanwhile')
        links = again.links
        file = await this.#open(links[at]!, signal)
      }
      if (file === null) return failed('the store does not give the file, even for a fresh link')
      try {
        await reader.read(file)
      } catch (error) {
        if (!(error instanceof ChatfeedError && error.code === 'damaged_file')) throw error
        return failed(error.message)
      }
    }
    const result = reader.finish()
    if (result.lines === 0) return { state: 'empty', reason: 'no file, or files without a record' }
    if (inside * 2 < result.lines) this.#warnOfZone(unit.name, result.lines - inside)
    return { state: 'published', ...result }
  }

  check(_signal: AbortSignal): Promise<Finding[]> {
    return Promise.resolve([])
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  /** The links to the files of an hour, or what the provider says instead. */
  async #ask(hour: string, startMs: number, signal: AbortSignal): Promise<{ links: string[] } | Reading> {
    const ageMs = this.#context.now() - (startMs + hourMs)
    const age = { ageMs, retentionMs: this.#config.retention }
    const path = `chatmessages/${hour}`
    const { reply, verdict } = await this.#client.get(path, (answer) => judgeHour(answer, age), signal)
    const { reason, mend, retryAfterMs } = verdict
    switch (verdict.verdict) {
      case 'ready': {
        const body = linksBody.safeParse(reply.body)
        if (!body.success) return failed('the answer names no files')
        return { links: body.data.data.map(({ url }) => url) }
      }
      case 'empty':
      case 'lost':
        return { state: verdict.verdict, reason }
      case 'not_yet':
        return { state: 'not_yet', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
      default:
        return failed(mend === undefined ? reason : `${reason}. ${mend}`, retryAfterMs)
    }
  }

  /** The file behind a link; null where the store refuses it. */
  async #open(url: string, signal: AbortSignal): Promise<Readable | null> {
    try {
      const answer = await openLink(url, this.#client.dispatcher, signal)
      this.#context.countRequest('file' in answer ? 'file' : 'file_refused')
      return 'file' in answer ? answer.file : null
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

  /** Beijing hours asked for as UTC hours (or the reverse) answer well and hold other messages. */
  #warnOfZone(hour: string, outside: number): void {
    const details = { source: this.name, unit: hour, outside }
    this.#context.log.warn(details, 'most messages of this hour lie outside it: check timeZone')
  }
}

function failed(reason: string, retryAfterMs?: number): Reading {
  return { state: 'failed', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}
