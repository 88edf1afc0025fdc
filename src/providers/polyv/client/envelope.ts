import { membersOf } from '../../slices.ts'
import { parseOrNull, word } from '../message/item.ts'

/** The frame of an answer. */
export interface Envelope {
  /** The body's own code, also where it is text; null where it is missing. */
  code: number | null
  /** At least one of `code`, `status` and `success` says success and none says otherwise. */
  isSuccess: boolean
  /** `message`, or `error.desc` of the v4 form. */
  text: string
  isEncrypted: boolean
  /** False for the `""` and `null` that stand in place of data. */
  hasData: boolean
}

/** Reads a frame without its data: one broken item must not make an answer unreadable. Null when the body has none. */
export function readEnvelope(body: Buffer): Envelope | null {
  const members = membersOf(body)
  if (!members) return null
  const value = (name: string): unknown => parseOrNull(members.get(name)?.toString() ?? 'null')
  const error = value('error')
  const desc = typeof error === 'object' && error !== null && 'desc' in error ? error.desc : error
  const digits = word(value('code'))
  const told = [
    [digits, '200'],
    [word(value('status')).toLowerCase(), 'success'],
    [flag(value('success')), 'true'],
  ].filter(([sign]) => sign !== '')
  const data = members.get('data')
  return {
    code: /^\d{1,6}$/.test(digits) ? Number(digits) : null,
    isSuccess: told.length > 0 && told.every(([sign, good]) => sign === good) && !textOf(desc),
    text: textOf(value('message')) || textOf(desc),
    isEncrypted: flag(value('encryption')) === 'true',
    hasData: data !== undefined && (data[0] === 0x5b || data[0] === 0x7b),
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
const flag = (value: unknown): string => (typeof value === 'boolean' ? String(value) : word(value))
