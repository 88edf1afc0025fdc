import { sinceMs } from '../../duration.ts'
import type { LedgerEntry } from '../../model.ts'
import { coverFrom } from '../coverage.ts'
import type { Unit } from '../provider.ts'
import type { PolyvConfig } from './config.ts'
import { hourMs, parseUnitName, startOfHour, unitName } from './hours.ts'

/** A message is visible some seconds after it was sent; the vendor's own tests wait up to twelve. */
const visibilityGraceMs = 30_000

type Known = ReadonlyMap<string, LedgerEntry>

/** Lists the hours of channels. */
export class UnitList {
  readonly #config: Pick<PolyvConfig, 'since' | 'pollEvery' | 'lookAgain'>
  /** Unit names read so far: the ledger is long, and listed often. */
  readonly #parsed = new Map<string, ReturnType<typeof parseUnitName>>()

  constructor(config: Pick<PolyvConfig, 'since' | 'pollEvery' | 'lookAgain'>) {
    this.#config = config
  }

  /**
   * Every hour of the channels that can have something, oldest first. Of channels that are not listed (any more),
   * the unfinished hours that `isWanted`.
   */
  list(
    channels: readonly string[],
    nowMs: number,
    known: Known,
    isWanted: (unit: string) => boolean,
  ): Unit[] {
    const units: Unit[] = []
    const hours = this.#byChannel(known)
    const since = sinceMs(this.#config.since, nowMs)
    for (const channel of channels) {
      const fromMs = coverFrom(
        since,
        hours.get(channel) ?? new Map(),
        (name) => this.#parse(name)?.startMs ?? null,
      )
      for (let startMs = startOfHour(fromMs); startMs <= nowMs; startMs += hourMs)
        units.push(this.#unit(channel, startMs))
      hours.delete(channel)
    }
    for (const [channel, entries] of hours) {
      for (const { unit, nextLookAt } of entries.values()) {
        const startMs = this.#parse(unit)?.startMs
        if (startMs !== undefined && nextLookAt !== null && isWanted(unit))
          units.push(this.#unit(channel, startMs))
      }
    }
    return units.sort((a, b) => a.opensAt - b.opensAt)
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
