import { stringifyLossless } from './canonical.ts'

/**
 * JSON text of what has no field of its own, numbers with their digits; null where there is nothing. Members that are
 * undefined are left out.
 */
export function dataText(data: Readonly<Record<string, unknown>>): string | null {
  const text = JSON.stringify(data)
  // Only what a double cannot hold is an object with this member, and that is rare.
  const lossless = text.includes('"isLosslessNumber":') ? stringifyLossless(data) : text
  return lossless === '{}' ? null : lossless
}
