import { hourMs, hourStart } from './hours.ts'

/** Fewer messages prove nothing: some are imported with times of their own. */
const enough = 5
const furthestZoneMs = 14 * hourMs

/**
 * Beijing hours asked for as UTC hours (or the reverse) answer well and hold other messages: counts how many of an
 * hour's messages lie outside it.
 */
export class ZoneCheck {
  readonly #startMs: number
  readonly #zoneMs: number
  /** Messages by the hours between their own hour and the one that was asked for. */
  readonly #byShift = new Map<number, number>()
  #total = 0

  constructor(startMs: number, zoneMs: number) {
    this.#startMs = startMs
    this.#zoneMs = zoneMs
  }

  add(sentAt: number | null): void {
    if (sentAt === null) return
    const shift = (hourStart(sentAt, this.#zoneMs) - this.#startMs) / hourMs
    this.#byShift.set(shift, (this.#byShift.get(shift) ?? 0) + 1)
    this.#total++
  }

  /** Messages with a time. */
  get total(): number {
    return this.#total
  }

  get isJudged(): boolean {
    return this.#total >= enough
  }

  /** What to change when most messages lie outside the hour; null while that is not so, or too few are known. */
  finding(): string | null {
    const outside = this.#total - (this.#byShift.get(0) ?? 0)
    if (!this.isJudged || outside * 2 <= this.#total) return null
    const text = `${outside} of ${this.#total} messages lie outside this hour`
    const zone = this.#fittingZone()
    return zone === null ? `${text}: check timeZone` : `${text}; they would fit timeZone "${zone}"`
  }

  /** The zone in which the hour's name would mean the hour that most messages lie in. */
  #fittingZone(): string | null {
    const [shift, count] = [...this.#byShift].reduce(
      (most, next) => (next[1] > most[1] ? next : most),
      [0, 0],
    )
    const zoneMs = this.#zoneMs - shift * hourMs
    return count * 2 > this.#total && Math.abs(zoneMs) <= furthestZoneMs ? zoneText(zoneMs) : null
  }
}

function zoneText(zoneMs: number): string {
  if (zoneMs === 0) return 'Z'
  const minutes = Math.abs(zoneMs) / 60_000
  const two = (number: number) => String(number).padStart(2, '0')
  return `${zoneMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}
