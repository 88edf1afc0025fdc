import { existsSync, readFileSync } from 'node:fs'
import { type Document, parseDocument } from 'yaml'
import { ChatfeedError } from '../errors.ts'
import { type Fault, setAside, substitute } from './environment.ts'
import { issueText } from './issue-text.ts'
import { type Config, configSchema } from './schema.ts'

export type { Config, SourceConfig } from './schema.ts'

const defaultFile = 'chatfeed.yaml'

/** Every fault of a configuration at once. Exit status 2. */
export class ConfigError extends ChatfeedError {
  readonly faults: readonly Fault[]

  constructor(file: string, faults: readonly Fault[]) {
    const lines = faults.map(({ path, message }) => `  ${path ? `${path}: ` : ''}${message}`)
    const many = faults.length === 1 ? 'a fault' : `${faults.length} faults`
    super('fatal', 'configuration', `${file} has ${many}:\n${lines.join('\n')}`)
    this.faults = faults
  }
}

/** The file that a command reads: the one named, else `chatfeed.yaml` where it exists, else null (the demo). */
export function configFile(named: string | undefined): string | null {
  return named ?? (existsSync(defaultFile) ? defaultFile : null)
}

/** Reads and checks a configuration file. Throws ConfigError with every fault. */
export function readConfig(file: string): Config {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable'
    throw new ConfigError(file, [
      { path: '', message: `cannot be read (${code}): check the path given with --config` },
    ])
  }
  return parseConfig(text, file)
}

/** Checks the text of a configuration. Throws ConfigError with every fault; no value of the file is shown. */
export function parseConfig(
  text: string,
  file = defaultFile,
  environment: NodeJS.ProcessEnv = process.env,
): Config {
  const template = setAside(text)
  const document = parseDocument(template.text)
  const [syntax] = document.errors // the others follow from the first
  if (syntax) {
    const at = syntax.linePos?.[0]
    const message = `is not YAML (${syntax.code.toLowerCase().replaceAll('_', ' ')}): check brackets, quotes and indentation there`
    throw new ConfigError(file, [{ path: at ? `line ${at.line}, column ${at.col}` : '', message }])
  }
  const faults = substitute(document, template, environment)
  const unset = new Set(faults.map(({ path }) => path))
  const parsed = configSchema.safeParse(valuesOf(document, file) ?? {})
  if (parsed.success && faults.length === 0) return parsed.data
  for (const issue of parsed.error?.issues ?? []) {
    const path = issue.path.join('.')
    if (!unset.has(path)) faults.push({ path, message: issueText(issue) })
  }
  throw new ConfigError(file, faults)
}

/** An alias without its anchor shows only here. */
function valuesOf(document: Document, file: string): unknown {
  try {
    return document.toJS()
  } catch {
    const message = 'is not YAML (an alias without its anchor): put a text that begins with * in quotes'
    throw new ConfigError(file, [{ path: '', message }])
  }
}

/** A configuration made by the program itself, checked like any other. */
export function configFrom(value: unknown): Config {
  return configSchema.parse(value)
}
