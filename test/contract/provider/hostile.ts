/** Records that nobody would write in good faith. */
import fc from 'fast-check'
import { parseLossless, stringifyLossless } from '../../../src/providers/canonical.ts'

/** Any bytes, some of which look like JSON. */
export const anyBytes: fc.Arbitrary<Buffer> = fc
  .oneof(
    fc.uint8Array({ minLength: 1, maxLength: 60 }),
    fc.json().map((text) => Buffer.from(text)),
    fc.string({ unit: 'binary', minLength: 1 }).map((text) => Buffer.from(text)),
    fc
      .constantFrom('{', '}', '[]', '{}', '""', 'null', 'NaN', '{"msg_id":', '"{', '\u{feff}{}', "{'id':1}")
      .map((text) => Buffer.from(text)),
  )
  .map((bytes) => Buffer.from(bytes))

const anyValue = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(null, '', '0', 'null', -1, 1e300, 1.5, '\ud800', '\0', {}, [], [[]], {
    length: 3,
  }),
  fc.constantFrom(
    '__proto__',
    'constructor',
    '1e9999',
    '9'.repeat(400),
    ' 12 ',
    '{"a":',
    '{"id":1}',
    '//',
    'http://[',
  ),
)

/** Real records with one value replaced or left out, or with some bytes changed. */
export function mutated(real: readonly Buffer[]): fc.Arbitrary<Buffer> {
  const record = fc.constantFrom(...real)
  const path = fc.array(fc.nat(20), { maxLength: 5 })
  const values = fc.tuple(record, path, fc.option(anyValue)).map(([payload, steps, value]) => {
    const text = stringifyLossless(replaced(parseLossless(payload.toString()), steps, value))
    return Buffer.from(text)
  })
  const edits = fc.array(fc.tuple(fc.nat(2_000), fc.nat(255)), { minLength: 1, maxLength: 4 })
  const bytes = fc.tuple(record, edits).map(([payload, changes]) => {
    const copy = Buffer.from(payload)
    for (const [at, byte] of changes) copy[at % copy.length] = byte
    return copy
  })
  const cut = fc
    .tuple(record, fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([payload, share]) => payload.subarray(0, Math.max(1, Math.floor(share * payload.length))))
  return fc.oneof(values, bytes, cut)
}

/** The value with what the steps lead to replaced; with null for a new value, left out where it is a member. */
function replaced(value: unknown, [step, ...steps]: readonly number[], newValue: unknown): unknown {
  if (step === undefined || typeof value !== 'object' || value === null) return newValue
  const entries = Object.entries(value)
  const [key, member] = entries[step % Math.max(1, entries.length)] ?? []
  if (key === undefined) return newValue
  const next = steps.length === 0 ? newValue : replaced(member, steps, newValue)
  if (Array.isArray(value)) return value.map((item: unknown, index) => (String(index) === key ? next : item))
  return Object.fromEntries(
    entries.flatMap(([name, old]) => (name === key ? (next === null ? [] : [[name, next]]) : [[name, old]])),
  )
}

/** JSON texts, or nearly, of things that were said; none has a line end in it. */
export const hostileContents: readonly Buffer[] = [
  '"before \\ud83d after"',
  '"\\udc00"',
  '"line \u2028 separator \u2029"',
  '"\\/ \\u4f60\\u597d \\u0000 \\u001b[2J"',
  '"}{ ],[ \\" }"',
  '"𠮷 👩‍👩‍👧 🇨🇳"',
  '12345678901234567890123456789',
  '-1.50000000000000000000001e+400',
  '{"a":1,"a":2,"a":9007199254740993}',
  '{"__proto__":{"polluted":true},"constructor":null}',
  '{ "spaced" :\t[ 1 , 2 ,\t3 ] }',
  `${'['.repeat(400)}${']'.repeat(400)}`,
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  `"${'退款'.repeat(60_000)}"`,
  'nul',
  'undefined',
  Buffer.from([0x22, 0xff, 0xfe, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0xf0, 0x9f, 0x22]),
  Buffer.from([0x22, 0x01, 0x09, 0x1f, 0x7f, 0x22]),
].map((content) => Buffer.from(content as string))
