import { z } from 'zod'

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/
/** A date, with or without a time; a time must name its zone, so that every machine reads the same moment. */
const timePattern = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/

/** `"72h"` to milliseconds; null where the text is no duration. Units: ms, s, m, h, d, w. */
export function parseDuration(text: string): number | null {
  const [, amount, unit] = durationPattern.exec(text) ?? []
  if (amount === undefined || unit === undefined) return null
  const ms = Math.round(Number(amount) * unitMs[unit as keyof typeof unitMs])
  return Number.isSafeInteger(ms) ? ms : null
}

/** A duration in the configuration (`30s`, `5m`, `72h`, `30d`); milliseconds afterwards. */
export const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text)
  if (ms !== null) return ms
  context.addIssue({ code: 'custom', message: 'write a duration such as 30s, 5m, 72h or 30d' })
  return z.NEVER
})

/** A moment: so long before now, or a fixed time (epoch milliseconds). */
export type Since = { agoMs: number } | { atMs: number }

/** A duration back from now (`72h`) or an ISO time (`2026-11-23T10:00:00+08:00`, `2026-11-23` = midnight UTC). */
export const durationOrTime = z.string().transform((text, context): Since => {
  const agoMs = parseDuration(text)
  if (agoMs !== null) return { agoMs }
  const atMs = timePattern.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(atMs)) return { atMs }
  context.addIssue({
    code: 'custom',
    message: 'write a duration such as 72h, or a time with its zone such as 2026-11-23T10:00:00+08:00',
  })
  return z.NEVER
})

/** The epoch milliseconds that a `Since` names, seen from `nowMs`. */
export function sinceMs(since: Since, nowMs: number): number {
  return 'agoMs' in since ? nowMs - since.agoMs : since.atMs
}
