import type { Readable } from 'node:stream'
import { ChatfeedError } from '../../../errors.ts'
import type { LedgerEntry } from '../../../model.ts'
import type { Finding, Publish, Reading, Source, SourceContext, Unit, UnreadPoll } from '../../provider.ts'
import { checkFiles } from '../check.ts'
import { EasemobClient } from '../rest/client.ts'
import type { EasemobConfig } from '../config.ts'
import { type Failure, failed } from '../rest/failure.ts'
import { HourReader } from './hour-file.ts'
import { type Hour, HourLinks } from './hour-links.ts'
import { parseHour } from '../hours.ts'
import { hoursOf, unitsOf } from '../units.ts'
import { unreadPoll } from '../unread.ts'
import { ZoneCheck } from '../zone-check.ts'

/** Reads the history files of one Easemob app, one hour at a time. */
export class EasemobFilesSource implements Source {
  readonly name: string
  readonly provider = 'easemob'
  readonly tenant: string
  readonly unread?: UnreadPoll
  readonly #config: EasemobConfig
  readonly #context: SourceContext
  readonly #client: EasemobClient
  readonly #links: HourLinks

  constructor(config: EasemobConfig, tenant: string, context: SourceContext) {
    this.name = config.name
    this.tenant = tenant
    this.#config = config
    this.#context = context
    this.#client = new EasemobClient(config, context)
    this.#links = new HourLinks(config, this.#client, context)
    if (config.unread) this.unread = unreadPoll(config.unread, this.#client)
  }

  units(nowMs: number, known: ReadonlyMap<string, LedgerEntry>): Promise<Unit[]> {
    return Promise.resolve(unitsOf(this.#config, nowMs, known))
  }

  hours(fromMs: number, toMs: number): Promise<Unit[]> {
    return Promise.resolve(hoursOf(this.#config, fromMs, toMs))
  }

  async read(unit: Unit, publish: Publish, signal: AbortSignal): Promise<Reading> {
    const { timeZone } = this.#config
    const startMs = parseHour(unit.name, timeZone)
    if (startMs === null) return failed('the unit is no hour of this provider')
    const hour = { name: unit.name, startMs }
    const answer = await this.#links.ask(hour, signal)
    if ('state' in answer) return answer

    const zone = new ZoneCheck(startMs, timeZone)
    const reader = new HourReader((record) => {
      zone.add(record.sentAt)
      return publish(record)
    }, signal)
    let { links } = answer
    for (let at = 0; at < links.length; at++) {
      const opened = await this.#open(hour, links, at, signal)
      if ('state' in opened) return opened
      links = opened.links
      try {
        await reader.read(opened.file)
      } catch (error) {
        if (!(error instanceof ChatfeedError && error.code === 'damaged_file')) throw error
        return failed(error.message)
      }
    }
    const result = reader.finish()
    // An hour without messages has no file: an empty one is a faulty one.
    if (result.lines === 0) return failed('the history file holds no record')
    const finding = zone.finding()
    if (finding === null) return { state: 'published', ...result }
    this.#context.log.warn({ source: this.name, unit: unit.name }, finding)
    return { state: 'published', ...result, finding }
  }

  check(signal: AbortSignal): Promise<Finding[]> {
    return checkFiles(this.#config, this.#client, this.#links, this.#context, signal)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  /** One of the files. A link lives 30 minutes, and can die while the files before it are read: then fresh ones. */
  async #open(
    hour: Hour,
    links: string[],
    at: number,
    signal: AbortSignal,
  ): Promise<{ file: Readable; links: string[] } | Failure> {
    const first = await this.#links.open(links[at]!, signal)
    if ('file' in first) return { file: first.file, links }
    if (first.status < 400 || first.status > 499)
      return failed(`the store does not give the file (${first.status})`)

    const answer = await this.#links.ask(hour, signal)
    if (!('links' in answer)) return failed(`the store does not give the file (${first.status})`)
    if (answer.links.map(pathOf).join() !== links.map(pathOf).join())
      return failed('the files changed meanwhile')
    const second = await this.#links.open(answer.links[at]!, signal)
    if ('file' in second) return { file: second.file, links: answer.links }
    return failed(`the store does not give the file, even for a fresh link (${second.status})`)
  }
}

/** What stays of a link when it is signed anew. */
function pathOf(link: string): string {
  return link.replace(/\?.*/s, '')
}
