/**
 * The provider's hours. An hour is named by ten digits, `2026112310`, in the zone of its cluster: Beijing time on
 * mainland clusters, UTC overseas (facts: Easemob docs DOCNEW, and the times in real files). It holds the messages
 * of [10:00:00, 11:00:00).
 */
import { hourMs } from '../coverage.ts'

export { hourMs }

/** `+08:00`, `-03:30` or `Z` to milliseconds east of UTC; null where it is neither. */
export function parseZone(text: string): number | null {
  if (text === 'Z') return 0
  const [, sign, hours, minutes] = /^([+-])(0\d|1[0-4]):([0-5]\d)$/.exec(text) ?? []
  if (hours === undefined || minutes === undefined) return null
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

/** When the hour around `atMs` began. */
export function hourStart(atMs: number, zoneMs: number): number {
  return Math.floor((atMs + zoneMs) / hourMs) * hourMs - zoneMs
}

/** The ten digits of the hour around `atMs`. */
export function hourName(atMs: number, zoneMs: number): string {
  return new Date(atMs + zoneMs).toISOString().replace(/\D/g, '').slice(0, 10)
}

/** When the named hour began; null where the name is no hour. */
export function parseHour(name: string, zoneMs: number): number | null {
  const [, year, month, day, hour] = /^(\d{4})(\d{2})(\d{2})(\d{2})$/.exec(name) ?? []
  const startMs = Date.parse(`${year}-${month}-${day}T${hour}:00:00Z`) - zoneMs
  return !Number.isNaN(startMs) && hourName(startMs, zoneMs) === name ? startMs : null
}
