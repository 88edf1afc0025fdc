import { createHash } from 'node:crypto'
import { sinceMs } from '../../duration.ts'
import type { LedgerEntry } from '../../model.ts'
import { coverFrom } from '../coverage.ts'
import type { Finding, Publish, RawRecord, Reading, Source, SourceContext, Unit } from '../provider.ts'
import { Client, type Refusal } from './client.ts'
import type { PolyvConfig } from './config.ts'
import { endpoints } from './endpoints.ts'
import { readList, type Query } from './history.ts'
import { hourMs, parseUnitName, startOfHour, unitName } from './hours.ts'

/** A message is visible some seconds after it was sent; the vendor's own tests wait up to twelve. */
const visibilityGraceMs = 30_000

/** The history of the configured channels of one Polyv account; a unit is one hour of one channel. */
export class PolyvSource implements Source {
  readonly provider = 'polyv'
  readonly name: string
  readonly tenant: string
  readonly #config: PolyvConfig
  readonly #context: SourceContext
  readonly #client: Client
  /** Rows of each open unit that this process has published, as `RowSet` names them. */
  readonly #published = new Map<string, Set<string>>()
  /** Unit names read so far: the ledger is long, and listed often. */
  readonly #parsed = new Map<string, ReturnType<typeof parseUnitName>>()

  constructor(config: PolyvConfig, context: SourceContext) {
    this.name = config.name
    this.tenant = config.appId
    this.#config = config
    this.#context = context
    this.#client = new Client(config.baseUrl, config, context)
  }

  units(nowMs: number, known: ReadonlyMap<string, LedgerEntry>): Promise<Unit[]> {
    const units: Unit[] = []
    const knownHours = this.#byChannel(known)
    for (const channel of this.#config.channels) {
      const startOf = (name: string) => this.#parse(name)?.startMs ?? null
      const fromMs = coverFrom(
        sinceMs(this.#config.since, nowMs),
        knownHours.get(channel) ?? new Map(),
        startOf,
      )
      for (let startMs = startOfHour(fromMs); startMs <= nowMs; startMs += hourMs)
        units.push(this.#unit(channel, startMs))
    }
    return Promise.resolve(units.sort((a, b) => a.opensAt - b.opensAt))
  }

  #byChannel(known: ReadonlyMap<string, LedgerEntry>): Map<string, Map<string, LedgerEntry>> {
    const channels = new Map<string, Map<string, LedgerEntry>>()
    for (const [name, entry] of known) {
      const channel = this.#parse(name)?.channel
      if (channel === undefined) continue
      const hours = channels.get(channel)
      if (hours) hours.set(name, entry)
      else channels.set(channel, new Map([[name, entry]]))
    }
    return channels
  }

  #parse(name: string): ReturnType<typeof parseUnitName> {
    let parsed = this.#parsed.get(name)
    if (parsed === undefined) {
      parsed = parseUnitName(name)
      this.#parsed.set(name, parsed)
    }
    return parsed
  }

  #unit(channel: string, startMs: number): Unit {
    return {
      name: unitName(channel, startMs),
      opensAt: startMs,
      closesAt: startMs + hourMs + visibilityGraceMs,
      pollEveryMs: this.#config.pollEvery,
      lookAgainMs: this.#config.lookAgain,
      deadline: null, // How long Polyv keeps chat history is not documented.
    }
  }

  /**
   * Reads every list of one hour of one channel. While the unit is open, rows that this process has published
   * before are not published again, though they count in the reading; a closed unit publishes every row.
   */
  async read(unit: Unit, publish: Publish, signal: AbortSignal): Promise<Reading> {
    const parsed = parseUnitName(unit.name)
    if (!parsed) return { state: 'failed', reason: `${unit.name} is no unit of Polyv: CHANNEL/yyyyMMddHH.` }
    const nowMs = this.#context.now()
    if (nowMs < unit.opensAt) return { state: 'not_yet', reason: 'The hour has not begun.' }

    const published = this.#takePublished(unit, nowMs)
    const rows = new RowSet()
    const endMs = parsed.startMs + hourMs
    const accept = async (records: readonly RawRecord[]): Promise<void> => {
      for (const record of records) {
        // The second after the end was asked for to be sure of the last one; what it brings is the next unit's.
        if (record.sentAt !== null && record.sentAt > endMs) continue
        const row = rows.add(record)
        if (row === null || published.has(row)) continue
        const waiting = publish(record)
        if (waiting) await waiting
        published.add(row)
      }
    }
    for (const query of this.#queries(parsed.channel, parsed.startMs)) {
      const { endpoint, pageSize } = this.#config
      const refusal = await readList(this.#client, endpoints[endpoint], query, pageSize, accept, signal)
      if (refusal) return failedBy(refusal)
    }
    if (nowMs < unit.closesAt) {
      await publish.flush?.()
      this.#published.set(unit.name, published)
    }
    return rows.reading()
  }

  check(_signal: AbortSignal): Promise<Finding[]> {
    return Promise.resolve([])
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  /**
   * The rows that need not be published again. They are taken out until the reading has succeeded: after a
   * failure nobody knows what of it reached Kafka, so the next reading publishes all.
   */
  #takePublished(unit: Unit, nowMs: number): Set<string> {
    const published = this.#published.get(unit.name)
    this.#published.delete(unit.name)
    return (nowMs < unit.closesAt ? published : undefined) ?? new Set()
  }

  #queries(channel: string, startMs: number): Query[] {
    const { statuses, scopes, rooms } = this.#config
    const window = { channel, fromMs: startMs, toMs: startMs + hourMs }
    // `censor` before `pass`: a message that is approved between the two calls is met twice, not never.
    return [...statuses]
      .sort()
      .flatMap((status) =>
        scopes.flatMap((scope) => [null, ...rooms].map((room) => ({ ...window, status, scope, room }))),
      )
  }
}

function failedBy({ reason, retryAfterMs }: Refusal): Reading {
  return { state: 'failed', reason, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}

/** The distinct rows of one reading. A row is a message with a content: (id, fingerprint). */
class RowSet {
  readonly #rows = new Set<string>()
  readonly #messages = new Set<string>()
  #bytes = 0

  /** The row's name, or null when this reading has met it before. */
  add({ messageId, position, fingerprint, payload }: RawRecord): string | null {
    const id = messageId ?? String(position)
    const row = `${id} ${fingerprint.toString('base64')}`
    if (this.#rows.has(row)) return null
    this.#rows.add(row)
    this.#messages.add(id)
    this.#bytes += payload.length
    return row
  }

  /** Lines are distinct messages; the digest does not depend on the order of pages and lists. */
  reading(): Reading {
    if (this.#rows.size === 0) return { state: 'empty', reason: 'Nobody has written in this hour.' }
    const digest = createHash('sha256')
      .update([...this.#rows].sort().join('\n'))
      .digest('hex')
    return { state: 'published', lines: this.#messages.size, bytes: this.#bytes, digest }
  }
}
