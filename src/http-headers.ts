/** Bounds of a waiting time that the service names: less is no rest, more is a mistake. */
const leastWaitMs = 1_000
const longestWaitMs = 3_600_000

type Header = string | string[] | undefined

/** The moment that a date header names, epoch ms; null without one. */
export function dateOf(header: Header): number | null {
  const atMs = typeof header === 'string' && /[a-z]{3}.*:/i.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(atMs) ? null : atMs
}

/** `Retry-After` in seconds or as a date seen from `nowMs` of the same clock; null without one; 0 for at once. */
export function retryAfterOf(header: Header, nowMs: number): number | null {
  if (typeof header !== 'string') return null
  const seconds = /^\s*\d+(?:\.\d+)?\s*$/.test(header) ? Number(header) : null
  const atMs = dateOf(header)
  if (seconds === null && atMs === null) return null
  const waitMs = seconds === null ? (atMs ?? nowMs) - nowMs : Math.ceil(seconds * 1000)
  return waitMs <= 0 ? 0 : Math.min(Math.max(waitMs, leastWaitMs), longestWaitMs)
}

/** Scheme and host of a redirect, seen from `base`; nothing else of it, since the rest repeats the signed query. */
export function originOf(location: Header, base: string): string | null {
  if (typeof location !== 'string' || !URL.canParse(location, base)) return null
  const { origin } = new URL(location, base)
  return origin === 'null' ? null : origin
}
