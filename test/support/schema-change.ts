import { type SchemaName, schemaText } from '../../src/avro.ts'

interface Record {
  fields: { name: string; type: unknown; default?: unknown; doc?: string }[]
}

/** A schema of ours with other fields, as its text is registered. */
export function changedSchema(
  name: SchemaName,
  change: (fields: Record['fields']) => Record['fields'],
): string {
  const schema = JSON.parse(schemaText(name)) as Record
  return JSON.stringify({ ...schema, fields: change(schema.fields) })
}

/** The schema before it got a field. */
export const without = (name: SchemaName, field: string): string =>
  changedSchema(name, (fields) => fields.filter((each) => each.name !== field))

/** The schema after it got a field with a default, in front of all others. */
export const withField = (name: SchemaName, field: string): string =>
  changedSchema(name, (fields) => [{ name: field, type: ['null', 'string'], default: null }, ...fields])
