import { type SchemaName, schemaText } from '../avro.ts'
import type { CodecParts } from '../codecs.ts'
import { ChatfeedError } from '../errors.ts'
import { breakingChanges } from './changes.ts'
import type { Registry } from './registry.ts'

/** A subject and the file in `schemas` that belongs to it. */
export interface Subject {
  subject: string
  schema: SchemaName
}

/** The schema as it is registered: always the same text, for some registries compare texts. */
export const registeredText = (name: SchemaName): string => JSON.stringify(JSON.parse(schemaText(name)))

/**
 * The ids of our schemas, and all that the subjects hold. What is not registered is registered, once every subject has
 * found its schema compatible: either all of them are, or nothing is written. Without `register` nothing is written
 * at all. Throws ChatfeedError: what the registry throws, `schema_incompatible` with the field, `schema_missing`.
 */
export async function registerSchemas(
  registry: Registry,
  subjects: readonly Subject[],
  register: boolean,
  signal: AbortSignal,
): Promise<Pick<CodecParts, 'ids' | 'known'>> {
  const missing: Subject[] = []
  const ids = new Map<SchemaName, number>()
  const found = (name: SchemaName, id: number) => {
    // Where a registry numbers the subjects apart, every topic is written by the id of the first: it says the same.
    if (!ids.has(name)) ids.set(name, id)
  }
  for (const each of subjects) {
    const id = await registry.lookUp(each.subject, registeredText(each.schema), signal)
    if (id === null) missing.push(each)
    else found(each.schema, id)
  }
  if (!register && missing.length > 0) throw schemasMissing(missing)
  for (const each of missing) {
    const verdict = await registry.compatibility(each.subject, registeredText(each.schema), signal)
    if (!verdict.fits) throw await incompatible(registry, each, verdict.reasons, signal)
  }
  for (const each of missing) {
    const answer = await registry.register(each.subject, registeredText(each.schema), signal)
    if (typeof answer !== 'number') throw await incompatible(registry, each, answer.reasons, signal)
    found(each.schema, answer)
  }
  const known = new Map<number, string | null>()
  for (const { subject } of subjects)
    for (const { id, text } of await registry.versions(subject, signal)) known.set(id, text)
  return { ids: Object.fromEntries(ids) as NonNullable<CodecParts['ids']>, known: [...known] }
}

/** What keeps our schema from being the next version of its subject, in words. */
export async function offences(
  registry: Registry,
  { subject, schema }: Subject,
  reasons: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const latest = (await registry.versions(subject, signal)).at(-1)?.text
  const changes = latest ? breakingChanges(latest, registeredText(schema)) : []
  const told = changes.length > 0 ? changes : reasons.filter((reason) => reason !== '')
  return told.join('; ').slice(0, 600) || 'it does not say why'
}

async function incompatible(
  registry: Registry,
  subject: Subject,
  reasons: readonly string[],
  signal: AbortSignal,
): Promise<ChatfeedError> {
  const why = await offences(registry, subject, reasons, signal)
  const text = `The registry refuses ${fileOf(subject)} as a version of ${subject.subject}: ${why}.`
  return new ChatfeedError('fatal', 'schema_incompatible', text, { mend: incompatibleMend })
}

/** What to do about a subject that does not take our schema. */
export const incompatibleMend =
  'Topics of another program, or of a newer chatfeed, need another kafka.topicPrefix or this one updated; ' +
  'where the change is meant, loosen the compatibility of the subject in the registry.'

function schemasMissing(missing: readonly Subject[]): ChatfeedError {
  const names = missing.map((each) => `${each.subject} (${fileOf(each)})`).join(', ')
  return new ChatfeedError('fatal', 'schema_missing', `Not registered: ${names}.`, { mend: missingMend })
}

/** What to do about schemas that nobody has registered. */
export const missingMend =
  'Register the named files under these subjects, as they are, or let chatfeed do it with registry.register: true.'

/** The file of a subject's schema. */
export const fileOf = ({ schema }: Subject): string => `schemas/${schema}.avsc`
