import { z } from 'zod'
import { sinkEntry } from '../sink-type.ts'

/** A `sinks:` entry with `type: sqlite`. `path` is relative to the working directory. */
export const sqliteConfig = sinkEntry('sqlite', {
  path: z.string().min(1, 'Give the path of the database file.').default('.chatfeed/messages.db'),
})
/** A checked entry. */
export type SqliteConfig = z.infer<typeof sqliteConfig>
