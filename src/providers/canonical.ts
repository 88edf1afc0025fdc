/**
 * JSON as the providers write it: ids and order numbers beyond 2^53 keep their digits, and two texts that say
 * the same in another key order have the same fingerprint.
 */
import { hash } from 'node:crypto'
import { isLosslessNumber, isSafeNumber, LosslessNumber, parse } from 'lossless-json'

export { isLosslessNumber }

/** Deeper nesting is refused, so that everything behind `parseLossless` may recurse. */
const maxDepth = 500

/** A number of more than 15 digits or with an exponent where a value can stand; inside a string it only costs time. */
const awkwardNumber = /(?:^|[:,[])\s*-?(?:[\d.]{16}|[\d.]+[eE])/

/**
 * Reads JSON text. Numbers are plain numbers where a double holds them, else `LosslessNumber` with their
 * digits as written. The last of duplicate keys wins. Throws nothing but SyntaxError, also for nesting deeper
 * than 500.
 */
export function parseLossless(text: string): unknown {
  if (text.length > 2 * maxDepth) refuseDeepNesting(text)
  if (!awkwardNumber.test(text)) return JSON.parse(text)
  return parse(text, null, {
    parseNumber: (digits) => (isSafeNumber(digits) ? Number(digits) : new LosslessNumber(digits)),
    onDuplicateKey: ({ newValue }) => newValue,
  })
}

/** Back to JSON text, digits intact, keys in their order. `undefined` members are left out. */
export function stringifyLossless(value: unknown): string {
  return write(value, Object.keys)
}

/** JSON text without white space and with sorted keys: equal for values that differ in key order only. */
export function canonicalText(value: unknown): string {
  return write(value, (object) => Object.keys(object).sort())
}

/** 16 bytes: MD5 of `canonicalText`. It tells contents apart; it protects nothing. */
export function fingerprintOf(value: unknown): Buffer {
  return hash('md5', canonicalText(value), 'buffer')
}

function write(value: unknown, keysOf: (object: object) => string[]): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (isLosslessNumber(value)) return value.value
  if (Array.isArray(value)) return `[${value.map((item) => write(item, keysOf)).join(',')}]`
  let text = ''
  for (const key of keysOf(value)) {
    const member = (value as Record<string, unknown>)[key]
    if (member === undefined) continue
    text += `${text && ','}${JSON.stringify(key)}:${write(member, keysOf)}`
  }
  return `{${text}}`
}

function refuseDeepNesting(text: string): void {
  let depth = 0
  let inString = false
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (inString) {
      if (char === 0x5c) at++
      else if (char === 0x22) inString = false
    } else if (char === 0x22) inString = true
    else if (char === 0x7b || char === 0x5b) {
      if (++depth > maxDepth) throw new SyntaxError(`JSON nested deeper than ${maxDepth}`)
    } else if (char === 0x7d || char === 0x5d) depth--
  }
}
