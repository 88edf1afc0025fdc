import { hourMs } from '../coverage.ts'

/** Polyv's clock stands at UTC+8, whatever the zone of this host (facts: measured on a sibling endpoint). */
const zoneMs = 8 * 3_600_000

export { hourMs }

/** Start of the hour that `atMs` lies in. */
export function startOfHour(atMs: number): number {
  return Math.floor(atMs / hourMs) * hourMs
}

/** `yyyy-MM-dd HH:mm:ss` at UTC+8, as `startDay` and `endDay` want it; milliseconds are cut off. */
export function formatTime(atMs: number): string {
  return new Date(atMs + zoneMs).toISOString().slice(0, 19).replace('T', ' ')
}

/** Reads `yyyy-MM-dd HH:mm:ss` or `yyyy-MM-dd` (midnight) at UTC+8; null for anything else. */
export function parseTime(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?$/.test(text)) return null
  const whole = text.length === 10 ? `${text} 00:00:00` : text
  const atMs = Date.parse(`${whole.replace(' ', 'T')}Z`) - zoneMs
  return Number.isNaN(atMs) || formatTime(atMs) !== whole ? null : atMs
}

/** The hours of many channels are the same few. */
const hourNames = new Map<number, string>()

/** Name of a unit: `CHANNEL/yyyyMMddHH` at UTC+8. */
export function unitName(channel: string, startMs: number): string {
  let hour = hourNames.get(startMs)
  if (hour === undefined) {
    hour = formatTime(startMs).slice(0, 13).replace(/[- ]/g, '')
    hourNames.set(startMs, hour)
  }
  return `${channel}/${hour}`
}

/** Channel and start of the hour of a unit; null when the name is not one of this provider's. */
export function parseUnitName(name: string): { channel: string; startMs: number } | null {
  const match = /^([^/]+)\/(\d{4})(\d\d)(\d\d)(\d\d)$/.exec(name)
  if (!match) return null
  const [, channel = '', year, month, day, hour] = match
  const startMs = parseTime(`${year}-${month}-${day} ${hour}:00:00`)
  return startMs === null ? null : { channel, startMs }
}
