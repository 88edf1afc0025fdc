import assert from 'node:assert/strict'
import { test } from 'node:test'
import avsc from 'avsc'
import { type SchemaName, schemaText } from '../../src/avro.ts'
import { type CodecParts, Codecs } from '../../src/codecs.ts'
import { idHeader, singleObjectHeader } from '../../src/framing.ts'
import type { Message } from '../../src/model.ts'
import { schemaWanted } from '../../src/registry/late-schemas.ts'
import { withField, without } from '../support/schema-change.ts'
import { ledgerEntry, message, rawMessage, unreadCount } from './samples.ts'

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const ids = { 'raw-message': 1, message: 2, 'ledger-entry': 3, 'unread-count': 70_000 }
const parts: CodecParts = { ids, former: [], known: [] }
const wanted = (id: number) => schemaWanted(id, 'it is being asked for')
const framed = (more: Partial<CodecParts> = {}) => new Codecs({ ...parts, ...more }, wanted)
const typeOf = (text: string) => avsc.Type.forSchema(JSON.parse(text) as avsc.Schema)

/** A value as a program with this schema writes it. */
const written = (header: Buffer, schema: string, value: object) =>
  Buffer.concat([header, typeOf(schema).toBuffer(value)])

test('with a registry values are framed as its clients do: a zero, the id big-endian, the value', () => {
  const codecs = framed()
  const values: [Buffer, SchemaName, object][] = [
    [Buffer.from(codecs.rawMessage.encode(rawMessage)), 'raw-message', rawMessage],
    [Buffer.from(codecs.message.encode(message)), 'message', message],
    [Buffer.from(codecs.ledgerEntry.encode(ledgerEntry)), 'ledger-entry', ledgerEntry],
    [Buffer.from(codecs.unreadCount.encode(unreadCount)), 'unread-count', unreadCount],
  ]
  for (const [bytes, name, value] of values) {
    const head = Buffer.from([0, 0, 0, 0, 0])
    head.writeUInt32BE(ids[name], 1)
    assert.deepEqual(bytes, Buffer.concat([head, typeOf(schemaText(name)).toBuffer(value)]))
  }
  assert.deepEqual(
    plain(codecs.unreadCount.decode(codecs.unreadCount.encode(unreadCount))),
    plain(unreadCount),
  )
})

test('a program with a registry reads what was written before it had one, at its place', () => {
  const [before, now] = [new Codecs({ ...parts, ids: null }), framed()]
  const value = Buffer.from(before.rawMessage.encode(rawMessage))
  assert.deepEqual(plain(now.rawMessage.decode(value)), plain(rawMessage))
  assert.equal(now.rawMessage.bodyAt(value, 0), 10)
  assert.equal(now.rawMessage.view(value).payload.buffer, value.buffer)
  const { id, revision } = message
  assert.deepEqual(
    { ...now.message.fields(['id', 'revision'])(before.message.encode(message)) },
    { id, revision },
  )
})

test('a program without a registry says what to configure when a value names a schema of one', () => {
  const value = framed().message.encode(message)
  assert.throws(() => new Codecs().message.decode(value), {
    remedy: 'message',
    code: 'registry_needed',
    message: /schema 2 .*registry\.url/,
    mend: /registry\.url/,
  })
})

for (const [way, older, newer] of [
  ['by id', idHeader(8), idHeader(9)],
  [
    'by fingerprint',
    singleObjectHeader(typeOf(without('message', 'refersTo'))),
    singleObjectHeader(typeOf(withField('message', 'mood'))),
  ],
] as const) {
  test(`values of an older and of a newer schema, known ${way}, are resolved to ours`, () => {
    const texts = [without('message', 'refersTo'), withField('message', 'mood')] as const
    const codecs =
      way === 'by id'
        ? framed({
            known: [
              [8, texts[0]],
              [9, texts[1]],
            ],
          })
        : framed({ former: texts })
    const old = written(older, texts[0], message)
    const young = written(newer, texts[1], { mood: 'glad', ...message })
    for (let round = 0; round < 2; round++) {
      assert.deepEqual(plain(codecs.message.decode(old)), plain({ ...message, refersTo: null }))
      assert.deepEqual(plain(codecs.message.view(young)), plain(message))
      const { id, fetchedAt } = message
      for (const value of [old, young])
        assert.deepEqual({ ...codecs.message.fields(['id', 'fetchedAt'])(value) }, { id, fetchedAt })
    }
    assert.equal(codecs.message.bodyAt(young, 0), -1)
    const cut = young.subarray(0, -3)
    assert.throws(() => codecs.message.decode(cut), { remedy: 'message', code: 'broken_value' })
    assert.throws(() => codecs.message.decode(Buffer.concat([young, Buffer.from([0])])), {
      code: 'broken_value',
    })
  })
}

test('an id of the same schema, such as one with other comments, is read at its place from the second value on', () => {
  const other = JSON.stringify({ ...(JSON.parse(schemaText('raw-message')) as object), doc: 'Other words.' })
  const codecs = framed({ known: [[12, other]] })
  const value = written(idHeader(12), other, rawMessage)
  assert.deepEqual(plain(codecs.rawMessage.view(value)), plain(rawMessage))
  assert.equal(codecs.rawMessage.bodyAt(value, 0), 5)
  assert.equal(codecs.rawMessage.view(value).payload.buffer, value.buffer)
})

test('an id that is not known yet is asked for, and known from then on', () => {
  const codecs = framed()
  const value = written(idHeader(9), withField('message', 'mood'), { mood: null, ...message })
  assert.throws(() => codecs.message.decode(value), {
    remedy: 'transient',
    code: 'schema_wanted',
    message: /schema 9/,
  })
  codecs.learn(9, withField('message', 'mood'))
  assert.deepEqual(plain(codecs.message.decode(value)), plain(message))
})

test('schemas that say nothing to us make no message: another record, no Avro, one that cannot be resolved', () => {
  const foreign = JSON.stringify({ type: 'record', name: 'Order', fields: [{ name: 'id', type: 'string' }] })
  const known = [
    [5, foreign],
    [6, null],
    [7, schemaText('unread-count')],
    [8, '{ "type": "recor'],
  ] as const
  for (const [id] of known) {
    const value = Buffer.concat([idHeader(id), Buffer.from([2, 97])])
    assert.throws(
      () => framed({ known }).message.decode(value),
      { remedy: 'message', code: 'unknown_schema' },
      String(id),
    )
  }
  for (const bytes of ['', '00', '00000000', 'c301', 'c30100000000000000', '01', '7b7d'])
    assert.throws(() => framed().message.decode(Buffer.from(bytes, 'hex')), { code: 'unknown_schema' }, bytes)
})

test('an enumeration that a newer program has added a word to is read where our schema has a word for it', () => {
  const schema = JSON.parse(schemaText('message')) as {
    fields: { name: string; type: { symbols: string[] } }[]
  }
  schema.fields.find(({ name }) => name === 'kind')!.type.symbols.push('poll')
  const text = JSON.stringify(schema)
  const value = written(idHeader(9), text, { ...message, kind: 'poll' })
  const read: Message = framed({ known: [[9, text]] }).message.decode(value)
  assert.equal(read.kind, 'other')
})

test('another thread makes the same codecs of the parts, with what was learnt since', () => {
  const first = framed()
  first.learn(9, withField('message', 'mood'))
  const second = new Codecs(structuredClone(first.parts()), wanted)
  const value = written(idHeader(9), withField('message', 'mood'), { mood: null, ...message })
  assert.deepEqual(plain(second.message.decode(value)), plain(message))
  assert.deepEqual(second.message.encode(message), first.message.encode(message))
})
