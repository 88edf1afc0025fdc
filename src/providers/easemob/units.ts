import { sinceMs } from '../../duration.ts'
import type { LedgerEntry } from '../../model.ts'
import { coverFrom } from '../coverage.ts'
import type { Unit } from '../provider.ts'
import type { EasemobConfig } from './config.ts'
import { hourMs, hourName, hourStart, parseHour } from './hours.ts'

/** The hours that are wanted, as far as the provider keeps them, and older ones that `known` shows open or missing. */
export function unitsOf(
  config: EasemobConfig,
  nowMs: number,
  known: ReadonlyMap<string, LedgerEntry>,
): Unit[] {
  const { since, timeZone, retention } = config
  const wantedMs = Math.max(sinceMs(since, nowMs), nowMs - retention)
  const fromMs = coverFrom(wantedMs, known, (unit) => parseHour(unit, timeZone))
  return hoursOf(config, hourStart(fromMs, timeZone), nowMs + 1)
}

/**
 * The hours that start in [`fromMs`, `toMs`). A file can be had once its hour has ended and settled; rows can be pulled
 * from the start of the hour, and are polled for until it has settled.
 */
export function hoursOf(config: EasemobConfig, fromMs: number, toMs: number): Unit[] {
  const { mode, timeZone, settle, pollEvery, lookAgain, retention } = config
  const units: Unit[] = []
  for (let startMs = hourStart(fromMs + hourMs - 1, timeZone); startMs < toMs; startMs += hourMs) {
    const endMs = startMs + hourMs
    units.push({
      name: hourName(startMs, timeZone),
      opensAt: mode === 'pull' ? startMs : endMs + settle,
      closesAt: endMs + settle,
      pollEveryMs: mode === 'pull' ? pollEvery : null,
      lookAgainMs: lookAgain,
      deadline: endMs + retention,
    })
  }
  return units
}
