import { z } from 'zod'

/** A `sinks:` entry with `type: sqlite`. `path` is relative to the working directory. */
export const sqliteConfig = z.strictObject({
  name: z.string().min(1, 'Give the sink a name.'),
  type: z.literal('sqlite'),
  path: z.string().min(1, 'Give the path of the database file.').default('.chatfeed/messages.db'),
  where: z.never('A `where` filter is not part of this version: leave it out.').optional(),
})
/** A checked entry. */
export type SqliteConfig = z.infer<typeof sqliteConfig>
