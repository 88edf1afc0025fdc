import { dirname } from 'node:path'
import { ChatfeedError } from '../../errors.ts'
import { fault, fine, type Finding } from '../../finding.ts'
import { checkFolder } from '../../folder.ts'
import type { SqliteConfig } from './config.ts'
import { countMessages } from './count.ts'

/** Whether the database can be written to, or made; reads it only. */
export function checkSqlite({ path }: SqliteConfig): Finding[] {
  const folder = checkFolder('folder', dirname(path))
  try {
    const messages = countMessages(path)
    const text =
      messages === null ? `${path} is not there yet, up makes it.` : `${path} holds ${messages} messages.`
    return [folder, fine('database', text)]
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    return [folder, fault('database', error.message, error.mend ?? 'Choose another path for the sink.')]
  }
}
