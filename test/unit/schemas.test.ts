import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  attachmentRoles,
  attachmentStates,
  conversationKinds,
  messageKinds,
  messageStatuses,
  unitStates,
} from '../../src/model.ts'
import { ledgerEntry, message, rawMessage, unreadCount } from './samples.ts'

interface Field {
  name: string
  doc?: string
  type: unknown
}
interface Named {
  type: string
  name: string
  doc?: string
  fields?: Field[]
  symbols?: string[]
}

const folder = new URL('../../schemas/', import.meta.url)
const files = readdirSync(folder).filter((name) => name.endsWith('.avsc'))
const schemas = new Map(
  files.map((name) => [
    name.replace('.avsc', ''),
    JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Named,
  ]),
)

/** The named types in a schema, itself included. */
function namedTypes(schema: unknown): Named[] {
  if (Array.isArray(schema)) return schema.flatMap(namedTypes)
  if (typeof schema !== 'object' || schema === null) return []
  const named = schema as Named & { items?: unknown }
  return [
    ...(typeof named.name === 'string' ? [named] : []),
    ...namedTypes(typeof named.type === 'string' ? null : named.type),
    ...namedTypes(named.items),
    ...(named.fields ?? []).flatMap((field) => namedTypes(field.type)),
  ]
}

/** The record types of a value, by the name of the schema's record, with the names of their fields. */
const fieldsOf = (value: object): string[] => Object.keys(value).sort()

test('there is a schema for every topic with Avro values', () => {
  assert.deepEqual([...schemas.keys()].sort(), ['ledger-entry', 'message', 'raw-message', 'unread-count'])
})

for (const [file, schema] of schemas) {
  test(`every record and every field of ${file}.avsc is explained`, () => {
    assert.ok(schema.doc)
    for (const { name, fields = [] } of namedTypes(schema))
      for (const field of fields) assert.ok(field.doc, `${name}.${field.name}`)
  })
}

test('the records of the schemas have the fields of the types in the code, no more and no less', () => {
  // Each sample is checked by the compiler against its type, with `satisfies`: it cannot lack or invent a field.
  const values: Record<string, object> = {
    RawMessage: rawMessage,
    LedgerEntry: ledgerEntry,
    UnreadCount: unreadCount,
    Message: message,
    Conversation: message.conversation,
    Sender: message.sender,
    Attachment: message.attachments[0]!,
    Location: message.location,
  }
  const records = [...schemas.values()].flatMap(namedTypes).filter(({ type }) => type === 'record')
  assert.deepEqual(records.map(({ name }) => name).sort(), Object.keys(values).sort())
  for (const { name, fields = [] } of records)
    assert.deepEqual(fields.map((field) => field.name).sort(), fieldsOf(values[name]!), name)
})

test('the enums of the schemas are the lists of the code, in their order', () => {
  const enums = [...schemas.values()].flatMap(namedTypes).filter(({ type }) => type === 'enum')
  assert.deepEqual(Object.fromEntries(enums.map(({ name, symbols }) => [name, symbols])), {
    ConversationKind: [...conversationKinds],
    MessageKind: [...messageKinds],
    MessageStatus: [...messageStatuses],
    AttachmentRole: [...attachmentRoles],
    AttachmentState: [...attachmentStates],
    UnitState: [...unitStates],
  })
})

test('dedup writes the revision in place, so it is the first field of RawMessage', () => {
  assert.equal(schemas.get('raw-message')?.fields?.[0]?.name, 'revision')
})
