import type { ParquetWriter } from 'hyparquet-writer'
import type { Message } from '../../../model.ts'

type Element = ParquetWriter['schema'][number]

/** A column of the root: its part of the schema, and its value in a message. */
interface Column {
  name: string
  elements: Element[]
  value: (message: Message) => unknown
}

const text = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const
const millis = {
  type: 'INT64',
  converted_type: 'TIMESTAMP_MILLIS',
  logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
} as const
type Repetition = 'REQUIRED' | 'OPTIONAL'
const required = 'REQUIRED'
const optional = 'OPTIONAL'

const field = (
  name: string,
  kind: Omit<Element, 'name'>,
  repetition_type: Repetition = optional,
): Element => ({
  name,
  repetition_type,
  ...kind,
})

const group = (name: string, repetition_type: Repetition, ...children: Element[]): Element[] => [
  { name, repetition_type, num_children: children.length },
  ...children,
]

const column = (
  name: keyof Message,
  kind: Omit<Element, 'name'>,
  repetition: Repetition = required,
): Column => ({
  name,
  elements: [field(name, kind, repetition)],
  value: (message) => message[name],
})

const struct = (name: 'conversation' | 'sender' | 'location', elements: Element[]): Column => ({
  name,
  elements,
  value: (message) => message[name],
})

const attachment = group(
  'element',
  required,
  field('role', text, required),
  field('url', text, required),
  field('resolvedUrl', text, required),
  field('name', text),
  field('mimeType', text),
  field('size', { type: 'INT64' }),
  field('width', { type: 'INT32' }),
  field('height', { type: 'INT32' }),
  field('durationSeconds', { type: 'DOUBLE' }),
  field('state', text, required),
  field('sha256', text),
  field('archiveKey', text),
)

/**
 * The columns of a Parquet file: the fields of `schemas/message.avsc` under their names and in their order, nested where
 * those are. `data` is JSON text.
 */
export const columns: readonly Column[] = [
  column('id', text),
  column('revision', { type: 'INT32' }),
  column('provider', text),
  column('source', text),
  column('tenant', text),
  column('messageId', text),
  column('origin', text),
  struct(
    'conversation',
    group('conversation', required, field('kind', text, required), field('id', text, required)),
  ),
  struct(
    'sender',
    group('sender', required, ...['id', 'name', 'role', 'avatar'].map((name) => field(name, text))),
  ),
  column('recipient', text, optional),
  column('sentAt', millis),
  column('fetchedAt', millis),
  column('enrichedAt', millis),
  column('kind', text),
  column('providerType', text),
  column('text', text, optional),
  {
    name: 'attachments',
    elements: [
      { name: 'attachments', repetition_type: required, num_children: 1, converted_type: 'LIST' },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      ...attachment,
    ],
    value: ({ attachments }) => attachments.map(({ size, ...rest }) => ({ ...rest, size: big(size) })),
  },
  struct(
    'location',
    group(
      'location',
      optional,
      field('latitude', { type: 'DOUBLE' }, required),
      field('longitude', { type: 'DOUBLE' }, required),
      field('address', text),
    ),
  ),
  column('status', text),
  column('session', text, optional),
  column('refersTo', text, optional),
  column('data', text, optional),
]

/** A 64-bit whole number is a BigInt to the writer. */
const big = (value: number | null): bigint | null => (value === null ? null : BigInt(value))

/** The schema, flat and depth first as the format has it. */
export const parquetSchema: Element[] = [
  { name: 'message', num_children: columns.length },
  ...columns.flatMap(({ elements }) => elements),
]
