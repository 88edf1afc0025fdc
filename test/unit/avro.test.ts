import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { schemaText } from '../../src/avro.ts'
import { crc64, headerBytes } from '../../src/framing.ts'
import { codecOf, ledgerCodec, messageCodec, rawMessageCodec, unreadCodec } from '../support/codecs.ts'
import type { ChatfeedError } from '../../src/errors.ts'
import { ledgerEntry, message, rawMessage, unreadCount } from './samples.ts'

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('fingerprints are those of the Avro specification', () => {
  assert.equal(crc64(Buffer.from('"null"')), 0x63dd24e7cc258f8an)
  assert.equal(crc64(Buffer.from('"int"')), 0x7275d51a3f395c8fn)
})

test('a value begins with C3 01 and the fingerprint of its schema, the lowest byte first', () => {
  const encoded = codecOf<number>('"int"').encode(-1)
  assert.equal(encoded.toString('hex'), 'c3018f5c393f1ad5757201')
  assert.equal(headerBytes, 10)
})

test('the fingerprint is that of the parsing canonical form: documentation and defaults do not change it', () => {
  const bare = '{"name":"a.R","type":"record","fields":[{"name":"x","type":["null","long"]}]}'
  const rich = `{"type":"record","namespace":"a","name":"R","doc":"d","fields":[
    {"name":"x","doc":"d","default":null,"type":["null",{"type":"long","logicalType":"timestamp-millis"}]}]}`
  const header = codecOf(rich).encode({ x: null }).subarray(0, headerBytes)
  assert.equal(header.readBigUInt64LE(2), crc64(Buffer.from(bare)))
})

test('what is encoded comes back, every field of it', () => {
  assert.deepEqual(plain(rawMessageCodec.decode(rawMessageCodec.encode(rawMessage))), plain(rawMessage))
  assert.deepEqual(plain(messageCodec.decode(messageCodec.encode(message))), plain(message))
  assert.deepEqual(plain(ledgerCodec.decode(ledgerCodec.encode(ledgerEntry))), plain(ledgerEntry))
  assert.deepEqual(plain(unreadCodec.decode(unreadCodec.encode(unreadCount))), plain(unreadCount))
})

test('half a surrogate pair, which has no UTF-8, becomes U+FFFD wherever it stands', () => {
  const attachment = { ...message.attachments[0]!, name: 'a\ud83d.png' }
  const value = {
    ...message,
    text: 'so\ude00',
    sender: { ...message.sender, name: '\ud83d' },
    attachments: [attachment],
  }
  const bytes = messageCodec.encode(value)
  assert.doesNotThrow(() =>
    new TextDecoder('utf-8', { fatal: true }).decode(
      bytes.subarray(bytes.indexOf('so'), bytes.indexOf('so') + 5),
    ),
  )
  const read = messageCodec.decode(bytes)
  assert.deepEqual(
    [read.text, read.sender.name, read.attachments[0]?.name],
    ['so\ufffd', '\ufffd', 'a\ufffd.png'],
  )
  assert.equal(value.text, 'so\ude00', 'the value itself is left alone')
})

test('any payload comes back byte for byte, also one larger than the buffer of the codec', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 0, max: 200 }), (bytes, times) => {
      const payload = Buffer.concat(Array.from({ length: times + 1 }, () => bytes))
      const { payload: back } = rawMessageCodec.decode(rawMessageCodec.encode({ ...rawMessage, payload }))
      return Buffer.from(back).equals(payload)
    }),
  )
})

test('a large value leaves nothing behind in the next one', () => {
  const before = Buffer.from(rawMessageCodec.encode(rawMessage))
  rawMessageCodec.encode({ ...rawMessage, payload: Buffer.alloc(100_000, 7) })
  assert.deepEqual(rawMessageCodec.encode(rawMessage), before)
})

test('revision is the first field, and 0 takes one byte: dedup replaces it in place', () => {
  const zero = Buffer.from(rawMessageCodec.encode({ ...rawMessage, revision: 0 }))
  const one = Buffer.from(rawMessageCodec.encode({ ...rawMessage, revision: 1 }))
  assert.equal(zero[headerBytes], 0)
  assert.equal(one[headerBytes], 2)
  assert.deepEqual(one.subarray(headerBytes + 1), zero.subarray(headerBytes + 1))
})

test('bytes under another header are refused as a message', () => {
  const encoded = Buffer.from(rawMessageCodec.encode(rawMessage))
  for (const bytes of [
    Buffer.alloc(0),
    encoded.subarray(0, headerBytes - 1),
    Buffer.from('{"msg_id":"1"}'),
    messageCodec.encode(message),
  ]) {
    assert.throws(() => rawMessageCodec.decode(bytes), { remedy: 'message', code: 'unknown_schema' })
  }
})

test('a value that is cut anywhere, or followed by anything, is refused as a message', () => {
  const encoded = Buffer.from(rawMessageCodec.encode(rawMessage))
  for (let length = headerBytes; length < encoded.length; length++) {
    assert.throws(() => rawMessageCodec.decode(encoded.subarray(0, length)), {
      remedy: 'message',
      code: 'broken_value',
    })
  }
  assert.throws(() => rawMessageCodec.decode(Buffer.concat([encoded, Buffer.from([0])])), {
    remedy: 'message',
    code: 'broken_value',
  })
})

test('hostile bytes behind a right header are refused, never anything else', () => {
  const header = Buffer.from(messageCodec.encode(message).subarray(0, headerBytes))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        messageCodec.decode(Buffer.concat([header, bytes]))
      } catch (error) {
        assert.equal((error as { remedy?: string }).remedy, 'message')
      }
    }),
  )
})

test('a value that does not fit the schema is refused before it is written', () => {
  const wrong = { ...message, kind: 'smoke signal' }
  assert.throws(() => messageCodec.encode(wrong as never))
  assert.throws(() => ledgerCodec.encode({ ...ledgerEntry, attempts: 1.5 }))
})

test('the schema texts are those of the schemas folder', () => {
  for (const name of ['raw-message', 'message', 'ledger-entry'] as const)
    assert.equal((JSON.parse(schemaText(name)) as { namespace: string }).namespace, 'chatfeed')
})

test('some fields are decoded as the whole is, whatever lies between and behind them', () => {
  const fields = ['id', 'fetchedAt', 'revision'] as const
  const some = messageCodec.fields(fields)
  const { id, fetchedAt, revision } = message
  assert.deepEqual({ ...some(messageCodec.encode(message)) }, { id, revision, fetchedAt })
})

test('a value is refused by its fields alone as by the whole', () => {
  const some = rawMessageCodec.fields(['id', 'fingerprint'])
  const good = Buffer.from(rawMessageCodec.encode(rawMessage))
  const codeOf = (decode: (bytes: Buffer) => unknown, bytes: Buffer): string => {
    try {
      decode(bytes)
      return ''
    } catch (error) {
      return (error as ChatfeedError).code
    }
  }
  const change = fc.record({
    at: fc.nat(good.length - 1),
    byte: fc.nat(255),
    cut: fc.nat(good.length),
    more: fc.nat(3),
  })
  fc.assert(
    fc.property(change, ({ at, byte, cut, more }) => {
      const changed = Buffer.from(good)
      changed[at] = byte
      for (const bytes of [changed, good.subarray(0, cut), Buffer.concat([changed, Buffer.alloc(more)])])
        assert.equal(
          codeOf(some, bytes),
          codeOf((value) => rawMessageCodec.decode(value), bytes),
        )
    }),
    { numRuns: 1_000 },
  )
})
