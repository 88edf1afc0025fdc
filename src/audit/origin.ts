/** An origin taken apart: the unit, and the position within it. */
export interface Origin {
  unit: string
  /** A number where records were counted from 1; otherwise the provider's own word; null where there is none. */
  position: number | string | null
}

/** Below 2^53, and far above any count of lines. */
const count = /^[1-9]\d{0,14}$/

/**
 * Reads `unit#position`. The name of an imported file may hold a `#`, and its positions are numbers; elsewhere the
 * unit holds none, and the position may.
 */
export function parseOrigin(origin: string): Origin {
  const at = origin.startsWith('import/') ? origin.lastIndexOf('#') : origin.indexOf('#')
  if (at < 0) return { unit: origin, position: null }
  const position = origin.slice(at + 1)
  return { unit: origin.slice(0, at), position: count.test(position) ? Number(position) : position }
}
