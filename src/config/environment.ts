import { type Document, isPair, isScalar, isSeq, visit } from 'yaml'

/** A mistake in the configuration: where, and what to do about it. */
export interface Fault {
  /** Such as `sources.0.clientSecret`; empty for the whole file. */
  path: string
  message: string
}

const reference = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g
const placeholder = /\uE000(\d+)\uE001/g

/** A configuration text whose `${…}` are set aside, so that they can stand anywhere in YAML, `{ a: ${B} }` included. */
export interface Template {
  text: string
  references: { name: string; fallback: string | undefined }[]
}

/** Replaces every `${…}` by a placeholder that is plain text in YAML. */
export function setAside(text: string): Template {
  const references: Template['references'] = []
  const replaced = text.replace(reference, (_, name: string, fallback: string | undefined) => {
    references.push({ name, fallback })
    return `\uE000${references.length - 1}\uE001`
  })
  return { text: replaced, references }
}

/**
 * Puts environment values in place of `${NAME}` and `${NAME:-default}` in the texts of the parsed document: a
 * value cannot change its structure. Variables that are not set and have no default are faults.
 */
export function substitute(
  document: Document,
  { references }: Template,
  environment: NodeJS.ProcessEnv,
): Fault[] {
  const faults: Fault[] = []
  visit(document, {
    Scalar(_, node, ancestors) {
      if (typeof node.value !== 'string') return
      node.value = node.value.replace(placeholder, (_match, index: string) => {
        const { name, fallback } = references[Number(index)]!
        // As in a shell, the default also stands in for an empty variable.
        const value = environment[name] || (fallback ?? environment[name])
        if (value === undefined) {
          faults.push({
            path: pathTo(node, ancestors),
            message: `\${${name}} is not set: set it in the environment, or write \${${name}:-default}`,
          })
        }
        return value ?? ''
      })
    },
  })
  return faults
}

/** `sources.0.clientSecret`: the keys and places of the nodes around a node. */
function pathTo(node: unknown, ancestors: readonly unknown[]): string {
  const path: string[] = []
  for (const [at, around] of ancestors.entries()) {
    if (isPair(around) && isScalar(around.key)) path.push(String(around.key.value))
    if (isSeq(around)) path.push(String(around.items.indexOf(ancestors[at + 1] ?? node)))
  }
  return path.join('.')
}
