import { sinceMs } from '../../duration.ts'
import { fine, type Finding, warning } from '../../finding.ts'
import type { EasemobConfig } from './config.ts'

const clockToleranceMs = 60_000
/** What a program without an arrangement may ask for (facts: Easemob docs DOC23, DOCNEW). */
const documentedPerMinute = 10

/** Whether the settings fit each other and what the provider grants. */
export function* checkSettings(
  { since, retention, ratePerMinute }: EasemobConfig,
  nowMs: number,
): Generator<Finding> {
  if (sinceMs(since, nowMs) < nowMs - retention) {
    const text = 'since goes back further than retention: the older hours are gone.'
    yield warning('since', text, 'Lower since, or raise retention if Easemob keeps your files longer.')
  }
  if (ratePerMinute > documentedPerMinute) {
    const text = `ratePerMinute is ${ratePerMinute}; Easemob grants ${documentedPerMinute}, to all programs of the app together.`
    yield warning('rate', text, 'Lower ratePerMinute, unless Easemob has granted you more.')
  } else yield fine('rate', `At most ${ratePerMinute} calls a minute for the history.`)
}

/** `skewMs`: how far the provider's clock is ahead of ours; null where it is not known. */
export function checkClock(skewMs: number | null): Finding[] {
  if (skewMs === null) return []
  const seconds = Math.round(Math.abs(skewMs) / 1000)
  if (Math.abs(skewMs) <= clockToleranceMs) {
    return [fine('clock', `The clock agrees with Easemob's (${seconds} s apart).`)]
  }
  const text = `The clock of this machine is ${seconds} s ${skewMs > 0 ? 'behind' : 'ahead of'} Easemob's.`
  return [warning('clock', text, 'Set the clock (NTP): it decides which hours are asked for, and when.')]
}
