import type { LedgerEntry } from '../../model.ts'
import type { Finding, Publish, RawRecord, Reading, Source, SourceContext, Unit } from '../provider.ts'
import { orStopped } from '../stopped.ts'
import { ChannelList } from './channel-list.ts'
import { checkSource } from './check.ts'
import { RowSet } from '../row-set.ts'
import { Client, type Refusal } from './client/client.ts'
import type { PolyvConfig } from './config.ts'
import { allChannels, endpoints, type Endpoint, type Query } from './lists/endpoints.ts'
import { History } from './lists/history.ts'
import { hourMs, parseUnitName } from './hours.ts'
import { listsOf } from './lists/queries.ts'
import { tellsOther } from './message/records.ts'
import { isPlain, tellRefused } from './refused-list.ts'
import { SetAside } from './set-aside.ts'
import { UnitList } from './units.ts'

/** The history of the channels of one Polyv account; a unit is one hour of one channel, or of the whole account. */
export class PolyvSource implements Source {
  readonly provider = 'polyv'
  readonly name: string
  readonly tenant: string
  readonly #config: PolyvConfig
  readonly #context: SourceContext
  readonly #endpoint: Endpoint
  readonly #client: Client
  readonly #history: History
  readonly #channelList: ChannelList
  readonly #units: UnitList
  readonly #aside = new SetAside()
  /** The channels that were listed last. */
  #listed: readonly string[] = []
  /** Closed units of channels that have left the account, tried since. */
  readonly #triedOnceMore = new Set<string>()
  /** Rows of each open unit that this process has published, as `RowSet` names them. */
  readonly #published = new Map<string, Set<string>>()

  constructor(config: PolyvConfig, context: SourceContext) {
    this.name = config.name
    this.tenant = config.appId
    this.#config = config
    this.#context = context
    this.#endpoint = endpoints[config.endpoint]
    this.#client = new Client(config.baseUrl, config, context)
    this.#history = new History(this.#client)
    this.#channelList = new ChannelList(this.#client, context.log)
    this.#units = new UnitList(config)
  }

  /**
   * With `channels: all` a channel that has left the account gets no new hours; those unfinished are tried once
   * more each, and again should the channel come back; a day after its end such an hour is lost. Of a channel that is set aside, the newest and the
   * oldest unfinished hour stand for all. Throws what the client throws as long as the account's channels are not known.
   */
  async units(nowMs: number, known: ReadonlyMap<string, LedgerEntry>, signal: AbortSignal): Promise<Unit[]> {
    this.#listed = await this.#channels(nowMs, signal)
    const isLeaving = this.#config.channels === allChannels && this.#endpoint.covers === 'channel'
    return this.#units.list(
      this.#listed,
      nowMs,
      known,
      (unit) => isLeaving && /^\d+\//.test(unit) && !this.#triedOnceMore.has(unit),
      (channel) => this.#aside.refusalOf(channel, nowMs) !== null,
    )
  }

  /** Throws what the client throws as long as the account's channels are not known. */
  async hours(fromMs: number, toMs: number, signal: AbortSignal): Promise<Unit[]> {
    this.#listed = await this.#channels(this.#context.now(), signal)
    return this.#units.hours(this.#listed, fromMs, toMs)
  }

  async #channels(nowMs: number, signal: AbortSignal): Promise<readonly string[]> {
    if (this.#endpoint.covers === 'account') return [allChannels]
    const { channels } = this.#config
    return channels === allChannels ? this.#channelList.channels(nowMs, signal) : channels
  }

  /**
   * Reads every list of one hour; one that is refused fails the hour, but the others are published all the same. While
   * the unit is open, rows that this process has published before are not published again, though they count in the
   * reading; a closed unit publishes every row. A channel that the service has refused lately fails without a call.
   */
  async read(unit: Unit, publish: Publish, signal: AbortSignal): Promise<Reading> {
    const parsed = parseUnitName(unit.name)
    if (!parsed) return { state: 'failed', reason: `${unit.name} is no unit of Polyv: CHANNEL/yyyyMMddHH.` }
    const nowMs = this.#context.now()
    if (nowMs < unit.opensAt) return { state: 'not_yet', reason: 'The hour has not begun.' }
    const refused = this.#aside.refusalOf(parsed.channel, nowMs)
    const reading = refused
      ? failedBy(refused)
      : await this.#readHour(unit, parsed.channel, parsed.startMs, nowMs, publish, signal)
    if (this.#listed.includes(parsed.channel)) this.#triedOnceMore.delete(unit.name)
    else if (nowMs >= unit.closesAt) this.#triedOnceMore.add(unit.name)
    return reading
  }

  async #readHour(
    unit: Unit,
    channel: string,
    startMs: number,
    nowMs: number,
    publish: Publish,
    signal: AbortSignal,
  ): Promise<Reading> {
    const isClosed = nowMs >= unit.closesAt
    const published = this.#takePublished(unit, isClosed)
    const rows = new RowSet()
    const accept = async (records: readonly RawRecord[]): Promise<void> => {
      for (const record of records) {
        if (!this.#belongs(record, startMs + hourMs)) continue
        const row = rows.add(record)
        if (row === null || published.has(row)) continue
        const waiting = publish(record)
        if (waiting) await orStopped(waiting, signal)
        published.add(row)
      }
    }
    let failed: { query: Query; refusal: Refusal } | undefined
    let hasRead = false
    /** Of the last plain list: the approved messages come last. */
    let plainRefusal: Refusal | null = null
    for (const query of listsOf(this.#config, channel, startMs)) {
      const { pageSize } = this.#config
      const list = { endpoint: this.#endpoint, query, pageSize, accept }
      const refusal = await this.#history.readList(list, isClosed, signal)
      if (refusal) failed ??= { query, refusal }
      else hasRead = true
      if (!isPlain(query)) continue
      plainRefusal = refusal
      if (refusal?.code === 'channel_gone') break
    }
    this.#aside.note(channel, plainRefusal, nowMs)
    if (!isClosed) {
      await publish.flush?.()
      this.#published.set(unit.name, published)
    }
    const aside = this.#aside.refusalOf(channel, nowMs)
    if (aside) return failedBy(aside)
    if (failed) {
      const { query, refusal } = failed
      return failedBy({
        ...tellRefused(query, refusal),
        retryAfterMs: hasRead ? restBeside(refusal, nowMs - unit.closesAt) : refusal.retryAfterMs,
      })
    }
    if (rows.size === 0) return { state: 'empty', reason: 'Nobody has written in this hour.' }
    return { state: 'published', ...rows.result() }
  }

  check(signal: AbortSignal): Promise<Finding[]> {
    return checkSource(this.#config, this.#client, this.#context.now(), signal)
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  /**
   * The second after the end was asked for to be sure of the last message; what it brings is the next unit's. With
   * an endpoint that covers the account, rows that tell of channels not asked for are left out.
   */
  #belongs({ sentAt, payload }: RawRecord, endMs: number): boolean {
    if (sentAt !== null && sentAt >= endMs && sentAt < endMs + 1_000) return false
    const { channels, rooms } = this.#config
    if (this.#endpoint.covers !== 'account' || channels === allChannels) return true
    return !tellsOther(payload, [...channels, ...rooms])
  }

  /**
   * The rows that need not be published again. They are taken out until the reading has succeeded: after a
   * failure nobody knows what of it reached Kafka, so the next reading publishes all.
   */
  #takePublished(unit: Unit, isClosed: boolean): Set<string> {
    const published = this.#published.get(unit.name)
    this.#published.delete(unit.name)
    return (isClosed ? undefined : published) ?? new Set()
  }
}

/**
 * How long to wait when other lists of the hour could be read. While it is open they must not wait: it is polled on.
 * Once closed it rests ever longer, since all of it is read again for the sake of one list.
 */
function restBeside({ retryAfterMs }: Refusal, closedForMs: number): number | undefined {
  if (retryAfterMs === undefined || closedForMs < 0) return undefined
  return Math.max(retryAfterMs, Math.round(closedForMs / 6))
}

function failedBy(why: Pick<Refusal, 'reason' | 'mend'> & { retryAfterMs?: number | undefined }): Reading {
  const { reason, mend, retryAfterMs } = why
  return {
    state: 'failed',
    reason: mend ? `${reason} ${mend}` : reason,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}
