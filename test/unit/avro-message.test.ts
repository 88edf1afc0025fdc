import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { schemaText } from '../../src/avro.ts'
import { codecOf, messageCodec } from '../support/codecs.ts'
import {
  type Attachment,
  attachmentRoles,
  attachmentStates,
  conversationKinds,
  type Message,
  messageKinds,
  messageStatuses,
} from '../../src/model.ts'
import { message } from './samples.ts'

const bySchema = codecOf<Message>(schemaText('message'))

/** Of any code units, halves of pairs included, around the lengths that take one byte more to tell. */
const text = fc.oneof(
  fc.string({ maxLength: 70 }),
  fc.array(fc.nat(0xffff), { maxLength: 70 }).map((units) => String.fromCharCode(...units)),
  fc
    .tuple(
      fc.constantFrom('a', '\x7f', '\x80', 'é', '\u07ff', '\u0800', '你', '😢', '\ud83d'),
      fc.constantFrom(0, 21, 22, 32, 63, 64, 8_191, 8_192),
    )
    .map(([character, times]) => character.repeat(times)),
)
const perhaps = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null })
const long = fc.oneof(
  fc.constantFrom(0, -0, -1, 2 ** 31, -(2 ** 31), 2 ** 53 - 2, 2 - 2 ** 53, 1_795_600_000_123),
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
)
const attachment: fc.Arbitrary<Attachment> = fc.record({
  role: fc.constantFrom(...attachmentRoles),
  url: text,
  resolvedUrl: text,
  name: perhaps(text),
  mimeType: perhaps(text),
  size: perhaps(long),
  width: perhaps(fc.integer()),
  height: perhaps(fc.integer()),
  durationSeconds: perhaps(fc.double()),
  state: fc.constantFrom(...attachmentStates),
  sha256: perhaps(text),
  archiveKey: perhaps(text),
})
const anyMessage: fc.Arbitrary<Message> = fc.record({
  id: text,
  revision: fc.integer(),
  provider: text,
  source: text,
  tenant: text,
  messageId: text,
  origin: text,
  conversation: fc.record({ kind: fc.constantFrom(...conversationKinds), id: text }),
  sender: fc.record({
    id: perhaps(text),
    name: perhaps(text),
    role: perhaps(text),
    avatar: perhaps(text),
  }),
  recipient: perhaps(text),
  sentAt: long,
  fetchedAt: long,
  enrichedAt: long,
  kind: fc.constantFrom(...messageKinds),
  providerType: text,
  text: perhaps(text),
  attachments: fc.array(attachment, { maxLength: 3 }),
  location: perhaps(fc.record({ latitude: fc.double(), longitude: fc.double(), address: perhaps(text) })),
  status: fc.constantFrom(...messageStatuses),
  session: perhaps(text),
  refersTo: perhaps(text),
  data: perhaps(text),
})

/** What becomes of a value: its bytes, or the refusal. */
function outcome(encode: () => Buffer): string {
  try {
    return encode().toString('hex')
  } catch (error) {
    return String(error)
  }
}

test('a message has the bytes that its schema gives it, whatever its texts and numbers are', () => {
  fc.assert(
    fc.property(anyMessage, (value) => {
      const expected = Buffer.from(bySchema.encode(value))
      assert.deepEqual(Buffer.from(messageCodec.encode(value)), expected)
    }),
    { numRuns: 300, seed: 6 },
  )
})

test('a message of more than the buffer of the codec has them too', () => {
  const value = { ...message, text: 'a你'.repeat(100_000), data: 'x'.repeat(300_000) }
  assert.ok(bySchema.encode(value).equals(messageCodec.encode(value)))
})

test('a value in the wrong place is refused as by its schema, or written as by it', () => {
  const anything = [
    undefined,
    null,
    true,
    5,
    1.5,
    NaN,
    Infinity,
    2 ** 31,
    2 ** 53,
    'smoke',
    {},
    [],
    Buffer.from('b'),
  ]
  const places: readonly (readonly [string, (value: unknown) => unknown])[] = [
    ...Object.keys(message).map(
      (name) => [name, (value: unknown) => ({ ...message, [name]: value })] as const,
    ),
    ...Object.keys(message.conversation).map(
      (name) =>
        [
          name,
          (value: unknown) => ({ ...message, conversation: { ...message.conversation, [name]: value } }),
        ] as const,
    ),
    ...Object.keys(message.sender).map(
      (name) =>
        [name, (value: unknown) => ({ ...message, sender: { ...message.sender, [name]: value } })] as const,
    ),
    ...Object.keys(message.location).map(
      (name) =>
        [
          name,
          (value: unknown) => ({ ...message, location: { ...message.location, [name]: value } }),
        ] as const,
    ),
    ...Object.keys(message.attachments[0]!).map(
      (name) =>
        [
          name,
          (value: unknown) => ({ ...message, attachments: [{ ...message.attachments[0], [name]: value }] }),
        ] as const,
    ),
  ]
  for (const [name, put] of places) {
    for (const value of anything) {
      const wrong = put(value) as Message
      const what = `${name}: ${JSON.stringify(value)}`
      const expected = outcome(() => bySchema.encode(wrong))
      const found = outcome(() => messageCodec.encode(wrong))
      // The engine's words for a member of undefined depend on how it was asked for.
      if (!expected.startsWith('TypeError: Cannot')) assert.equal(found, expected, what)
      else assert.match(found, /^TypeError: Cannot/, what)
    }
  }
  assert.ok(messageCodec.encode(message).equals(bySchema.encode(message)), 'and nothing of it stays behind')
})
