import type { Config } from '../config/config.ts'
import { ChatfeedError } from '../errors.ts'

/** What one process does of the whole. */
export interface Roles {
  ingest: boolean
  dedup: boolean
  enrich: boolean
  /** Names of sinks. */
  sinks: ReadonlySet<string>
}

/** The roles of `--only ingest,dedup,enrich,sink,sink:NAME`; all of them without it. Throws ChatfeedError `usage`. */
export function parseRoles(only: string | undefined, config: Config): Roles {
  const names = config.sinks.map(({ name }) => name)
  if (only === undefined) return { ingest: true, dedup: true, enrich: true, sinks: new Set(names) }
  const sinks = new Set<string>()
  const words = new Set(only.split(',').map((word) => word.trim()))
  for (const word of words) {
    if (word === 'sink') for (const name of names) sinks.add(name)
    else if (word.startsWith('sink:') && names.includes(word.slice(5))) sinks.add(word.slice(5))
    else if (!['ingest', 'dedup', 'enrich'].includes(word)) {
      const known = ['ingest', 'dedup', 'enrich', 'sink', ...names.map((name) => `sink:${name}`)]
      throw new ChatfeedError('fatal', 'usage', `There is no role ${word}.`, {
        mend: `Choose from ${known.join(', ')}.`,
      })
    }
  }
  return { ingest: words.has('ingest'), dedup: words.has('dedup'), enrich: words.has('enrich'), sinks }
}
