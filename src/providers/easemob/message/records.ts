import { isLosslessNumber, parseLossless } from '../../canonical.ts'

/** A JSON object as it was read: any member may be missing or of any type. */
export type Json = Record<string, unknown>

/** The value as an object; undefined where it is none. */
export function asObject(value: unknown): Json | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || isLosslessNumber(value))
    return undefined
  return value as Json
}

/** An id as text, digits intact, though it came as a number; null where there is none. */
export function asId(value: unknown): string | null {
  if (typeof value === 'string') return value === '' ? null : value
  if (typeof value === 'number') return String(value)
  return isLosslessNumber(value) ? value.value : null
}

/** A number, though it came as text; null where it is none. */
export function asNumber(value: unknown): number | null {
  const text = asId(value)?.trim()
  const number = text === undefined || text === '' ? Number.NaN : Number(text)
  return Number.isFinite(number) ? number : null
}

/** Epoch milliseconds; null where the value is no moment that a date can hold. */
export function asTime(value: unknown): number | null {
  const ms = asNumber(value)
  return ms !== null && Number.isInteger(ms) && Math.abs(ms) <= 8.64e15 ? ms : null
}

/** The record's JSON object; undefined where the bytes hold none. */
export function readRecord(payload: Buffer): Json | undefined {
  try {
    return asObject(parseLossless(payload.toString('utf8')))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

/** `null` and `{}` say as much as nothing. */
export function unlessEmpty(value: unknown): unknown {
  const object = asObject(value)
  return value === null || (object !== undefined && isEmpty(object)) ? undefined : value
}

function isEmpty(object: Json): boolean {
  for (const _name in object) return false
  return true
}
