import { ChatfeedError } from '../errors.ts'
import { fault, fine, type Finding, warning } from '../finding.ts'
import type { RegistryConfig } from './config.ts'
import { fileOf, incompatibleMend, missingMend, offences, registeredText, type Subject } from './register.ts'
import { Registry } from './registry.ts'

/** What `chatfeed check` finds about the registry and the subjects of our topics. Registers and changes nothing. */
export async function checkRegistry(
  config: RegistryConfig,
  subjects: readonly Subject[],
  signal: AbortSignal,
): Promise<Finding[]> {
  const registry = new Registry(config)
  const findings: Finding[] = []
  try {
    for (const subject of subjects)
      findings.push(...(await checkSubject(registry, subject, config.register, signal)))
    return [fine('registry', `The schema registry at ${registry.url} answers.`), ...findings]
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    // The same would be said of every other subject.
    return [...findings, fault('registry', error.message, error.mend ?? 'Check registry.url.')]
  } finally {
    await registry.close()
  }
}

async function checkSubject(
  registry: Registry,
  each: Subject,
  register: boolean,
  signal: AbortSignal,
): Promise<Finding[]> {
  const { subject, schema } = each
  const about = `subject ${subject}`
  const id = await registry.lookUp(subject, registeredText(schema), signal)
  const level = await checkLevel(registry, about, subject, signal)
  if (id !== null) return [fine(about, `${fileOf(each)} is registered, as schema ${id}.`), ...level]
  if (!register) return [fault(about, `${fileOf(each)} is not registered.`, missingMend), ...level]
  const verdict = await registry.compatibility(subject, registeredText(schema), signal)
  if (!verdict.fits) {
    const why = await offences(registry, each, verdict.reasons, signal)
    return [
      fault(about, `${fileOf(each)} is refused as its next version: ${why}.`, incompatibleMend),
      ...level,
    ]
  }
  return [
    fine(about, `${fileOf(each)} is not registered yet; up registers it, and it is compatible.`),
    ...level,
  ]
}

/** A level that lets everything pass is worth a word; one that cannot be asked for is not. */
async function checkLevel(
  registry: Registry,
  about: string,
  subject: string,
  signal: AbortSignal,
): Promise<Finding[]> {
  const level = await registry.level(subject, signal)
  if (level !== 'NONE') return []
  const text =
    'Its compatibility level is NONE: a schema that breaks its readers would be registered all the same.'
  return [warning(about, text, 'Set the level BACKWARD or FULL in the registry, for the subject or for all.')]
}
