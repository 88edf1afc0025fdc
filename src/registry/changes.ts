/** An Avro schema as JSON has it. */
interface Named {
  type?: unknown
  name?: string
  fields?: Field[]
  symbols?: string[]
  items?: unknown
  values?: unknown
}
interface Field extends Named {
  name: string
  default?: unknown
}

/**
 * What changed from one Avro schema to the next so that values of the one may not be read by the other, field by
 * field, in words: registries tell it each in its own way, or not at all. Empty where nothing of that kind is found.
 */
export function breakingChanges(before: string, after: string): string[] {
  return compare('', JSON.parse(before), JSON.parse(after))
}

function compare(path: string, before: unknown, after: unknown): string[] {
  const [old, now] = [inner(before), inner(after)]
  if (old?.fields && now?.fields && old.name === now.name) return fields(path, old.fields, now.fields)
  if (old?.symbols && now?.symbols && old.name === now.name) return symbols(path, old.symbols, now.symbols)
  if (old?.type === now?.type && isList(old) && isList(now))
    return compare(path, elements(old), elements(now))
  if (Array.isArray(before) && Array.isArray(after)) return branches(path, before, after)
  const [from, to] = [nameOf(before), nameOf(after)]
  return from === to ? [] : [`${path || 'the schema'} was ${from} and is ${to}`]
}

function fields(path: string, before: readonly Field[], after: readonly Field[]): string[] {
  const at = (name: string) => (path ? `${path}.${name}` : name)
  const kept = after.flatMap((field) => {
    const old = before.find(({ name }) => name === field.name)
    if (old) return compare(at(field.name), old.type, field.type)
    return 'default' in field ? [] : [`${at(field.name)} is new and has no default`]
  })
  const gone = before
    .filter((field) => !('default' in field) && !after.some(({ name }) => name === field.name))
    .map(({ name }) => `${at(name)} is gone and had no default`)
  return [...kept, ...gone]
}

function symbols(path: string, before: readonly string[], after: readonly string[]): string[] {
  const added = after.filter((symbol) => !before.includes(symbol))
  const gone = before.filter((symbol) => !after.includes(symbol))
  return [
    ...(added.length > 0 ? [`${path} has new words: ${added.join(', ')}`] : []),
    ...(gone.length > 0 ? [`${path} lost the words ${gone.join(', ')}`] : []),
  ]
}

/** Branches of unions that bear the same name are compared with each other. */
function branches(path: string, before: readonly unknown[], after: readonly unknown[]): string[] {
  const old = new Map(before.map((branch) => [nameOf(branch), branch]))
  const same = after.filter((branch) => old.has(nameOf(branch)))
  if (same.length === before.length && same.length === after.length)
    return same.flatMap((branch) => compare(path, old.get(nameOf(branch)), branch))
  return [`${path} was ${nameOf(before)} and is ${nameOf(after)}`]
}

const isList = (schema: Named | undefined): boolean => schema?.type === 'array' || schema?.type === 'map'
const elements = (schema: Named | undefined): unknown => schema?.items ?? schema?.values

/** The schema itself where it is written as an object. */
function inner(schema: unknown): Named | undefined {
  return typeof schema === 'object' && schema !== null && !Array.isArray(schema) ? schema : undefined
}

function nameOf(schema: unknown): string {
  if (Array.isArray(schema)) return schema.map(nameOf).join(' or ')
  if (typeof schema === 'string') return schema
  const named = inner(schema)
  return named?.name ?? nameOf(named?.type ?? 'nothing')
}
