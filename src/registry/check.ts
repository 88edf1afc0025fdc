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
    findings.push(...(await checkLevels(registry, subjects, signal)))
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
  if (id !== null) return [fine(about, `${fileOf(each)} is registered, as schema ${id}.`)]
  if (!register) return [fault(about, `${fileOf(each)} is not registered.`, missingMend)]
  const verdict = await registry.compatibility(subject, registeredText(schema), signal)
  if (!verdict.fits) {
    const why = await offences(registry, each, verdict.reasons, signal)
    return [fault(about, `${fileOf(each)} is refused as its next version: ${why}.`, incompatibleMend)]
  }
  return [fine(about, `${fileOf(each)} is not registered yet; up registers it, and it is compatible.`)]
}

/** A level that lets everything pass is worth a word; one that cannot be asked for is not. */
async function checkLevels(
  registry: Registry,
  subjects: readonly Subject[],
  signal: AbortSignal,
): Promise<Finding[]> {
  const open: string[] = []
  for (const { subject } of subjects)
    if ((await registry.level(subject, signal)) === 'NONE') open.push(subject)
  if (open.length === 0) return []
  const text = `A schema that breaks its readers would be registered all the same, for the level is NONE: ${open.join(', ')}.`
  return [warning('compatibility', text, 'Set the level BACKWARD or FULL in the registry.')]
}
