import { sinceMs } from '../../duration.ts'
import type { LedgerEntry } from '../../model.ts'
import { coverFrom } from '../coverage.ts'
import type { Unit } from '../provider.ts'
import type { PolyvConfig } from './config.ts'
import { hourMs, parseUnitName, startOfHour, unitName } from './hours.ts'

/** A message is visible some seconds after it was sent; the vendor's own tests wait up to twelve. */
const visibilityGraceMs = 30_000
/** So long a view of the ledger is good for. */
const viewMs = 30_000

type Known = ReadonlyMap<string, LedgerEntry>

/**
 * What a walk through the ledger has told. An hour that is finished since then is listed once more, which harms
 * nobody: its entry says when it is due.
 */
interface View {
  known: Known
  atMs: number
  newestMs: number
  channels: string
  /** Where the hours of each listed channel begin. */
  fromMs: ReadonlyMap<string, number>
  /** Hours that channels not listed (any more) had to be read again. */
  left: readonly { name: string; channel: string; startMs: number }[]
}

/** Lists the hours of channels. Made to be asked often: a ledger of any length is walked through every 30 s at most. */
export class UnitList {
  readonly #config: Pick<PolyvConfig, 'since' | 'pollEvery' | 'lookAgain'>
  /** Unit names read so far. */
  readonly #parsed = new Map<string, ReturnType<typeof parseUnitName>>()
  #view: View | undefined

  constructor(config: Pick<PolyvConfig, 'since' | 'pollEvery' | 'lookAgain'>) {
    this.#config = config
  }

  /**
   * Every hour of the channels that can have something, oldest first; of a channel that `isAside` only the newest
   * and the oldest unfinished one. Of channels that are not listed (any more), the unfinished hours that `isWanted`.
   * What others have put into the ledger is seen within 30 s.
   */
  list(
    channels: readonly string[],
    nowMs: number,
    known: Known,
    isWanted: (unit: string) => boolean,
    isAside: (channel: string) => boolean,
  ): Unit[] {
    const { fromMs, left } = this.#viewOf(channels, nowMs, known)
    const units = channels.flatMap((channel) => {
      const hours = this.#hoursOf(channel, fromMs.get(channel) ?? Infinity, nowMs + 1)
      return isAside(channel) ? outermost(hours, known) : hours
    })
    for (const { name, channel, startMs } of left) {
      // Its account no longer has the channel, so the hour is not waited for without end.
      const deadline = startMs + hourMs
      if (known.get(name)?.nextLookAt !== null && isWanted(name))
        units.push({ ...this.#unit(channel, startMs), deadline })
    }
    return units.sort((a, b) => a.opensAt - b.opensAt)
  }

  /** The hours of the channels that start in [`fromMs`, `toMs`), oldest first. */
  hours(channels: readonly string[], fromMs: number, toMs: number): Unit[] {
    const firstMs = startOfHour(fromMs + hourMs - 1)
    return channels
      .flatMap((channel) => this.#hoursOf(channel, firstMs, toMs))
      .sort((a, b) => a.opensAt - b.opensAt)
  }

  #viewOf(channels: readonly string[], nowMs: number, known: Known): View {
    const key = { known, newestMs: startOfHour(nowMs), channels: channels.join() }
    const view = this.#view
    const isGood =
      view?.known === key.known &&
      view.newestMs === key.newestMs &&
      view.channels === key.channels &&
      Math.abs(nowMs - view.atMs) < viewMs
    return isGood ? view : (this.#view = { ...key, atMs: nowMs, ...this.#walk(channels, nowMs, known) })
  }

  #walk(channels: readonly string[], nowMs: number, known: Known): Pick<View, 'fromMs' | 'left'> {
    const hours = this.#byChannel(known)
    const since = sinceMs(this.#config.since, nowMs)
    const startOf = (name: string) => this.#parse(name)?.startMs ?? null
    const fromMs = new Map<string, number>()
    for (const channel of channels) {
      fromMs.set(channel, startOfHour(coverFrom(since, hours.get(channel) ?? new Map(), startOf)))
      hours.delete(channel)
    }
    const left = [...hours].flatMap(([channel, entries]) =>
      [...entries.values()].flatMap(({ unit, nextLookAt }) => {
        const startMs = startOf(unit)
        return startMs === null || nextLookAt === null ? [] : [{ name: unit, channel, startMs }]
      }),
    )
    return { fromMs, left }
  }

  #byChannel(known: Known): Map<string, Map<string, LedgerEntry>> {
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

  #hoursOf(channel: string, firstMs: number, toMs: number): Unit[] {
    const hours: Unit[] = []
    for (let startMs = firstMs; startMs < toMs; startMs += hourMs) hours.push(this.#unit(channel, startMs))
    return hours
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
}

/** The oldest unfinished hour and the newest. */
function outermost(hours: readonly Unit[], known: Known): Unit[] {
  const oldest = hours.find(({ name }) => known.get(name)?.nextLookAt !== null)
  return [...new Set([oldest, hours.at(-1)])].filter((unit) => unit !== undefined)
}
