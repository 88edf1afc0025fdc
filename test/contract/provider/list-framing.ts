import assert from 'node:assert/strict'
import { parseLossless, stringifyLossless } from '../../../src/providers/canonical.ts'
import type { Framing, Json } from './case.ts'
import type { Answer } from './wire.ts'

/** Records in a JSON array, which `keys` lead to, of the answers to paths that `isList`. */
export function listFraming(isList: (path: string) => boolean, keys: readonly string[]): Framing {
  const listIn = (answer: Answer): Buffer[] | null => {
    let value: unknown = parseLossless(answer.body.toString())
    for (const key of keys) value = (value as Json | undefined)?.[key]
    return Array.isArray(value) ? value.map((item) => Buffer.from(stringifyLossless(item))) : null
  }
  return {
    recordsOf: (asked, answer) => (isList(asked.path) && answer.status === 200 ? listIn(answer) : null),
    withRecords: (answer, records) => {
      const before = arrayOf(listIn(answer) ?? [])
      const at = answer.body.indexOf(before)
      assert.ok(at > 0, 'the sandbox writes its lists without white space')
      const [head, tail] = [answer.body.subarray(0, at), answer.body.subarray(at + before.length)]
      return { ...answer, body: Buffer.concat([head, arrayOf(records), tail]) }
    },
    // An item is parted from the next by its own structure, or by a comma where it has none.
    canCarry: (record) => isBalanced(record) || isWord(record),
  }
}

function arrayOf(records: readonly Buffer[]): Buffer {
  const parts = records.flatMap((record) => [Buffer.from(','), record]).slice(1)
  return Buffer.concat([Buffer.from('['), ...parts, Buffer.from(']')])
}

/** Something without quotation marks, brackets and commas, and without blanks around it. */
function isWord(record: Buffer): boolean {
  const text = record.toString('latin1')
  return !/[,"[\]{}\\\n]|^\s|\s$|^\xef\xbb\xbf/.test(text) && text !== ''
}

/** A whole object, array or string by its quotation marks and brackets, whatever stands between. */
function isBalanced(record: Buffer): boolean {
  let depth = 0
  let inString = false
  const text = record.toString('latin1')
  if (!/^["[{]/.test(text)) return false
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at)
    if (inString) {
      if (char === '\\') at++
      else if (char === '"') inString = false
    } else if (char === '"') inString = true
    else if (char === '{' || char === '[') depth++
    else if (char === '}' || char === ']') depth--
    if (depth === 0 && !inString) return at === text.length - 1
  }
  return false
}
