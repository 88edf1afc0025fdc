import type { Config, SourceConfig } from './config.ts'
import { ChatfeedError } from '../errors.ts'

/** The source that `--source NAME` means. Throws ChatfeedError `usage` for one that is not configured. */
export function sourceNamed({ sources }: Config, name: string): SourceConfig {
  const source = sources.find((candidate) => candidate.name === name)
  if (source) return source
  const names = sources.map((candidate) => candidate.name).join(', ')
  throw new ChatfeedError('fatal', 'usage', `There is no source ${name}.`, {
    mend: `Choose from ${names || 'the sources you configure'}.`,
  })
}
