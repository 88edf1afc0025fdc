import type { ClientBase } from 'pg'
import { ChatfeedError } from '../../errors.ts'

/** Throws ChatfeedError `fatal` where the database could not hold texts of every language. */
export async function checkEncoding(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ server_encoding: string }>('show server_encoding')
  const encoding = rows[0]?.server_encoding ?? ''
  if (encoding === 'UTF8') return
  throw new ChatfeedError('fatal', 'postgres_encoding', `The database has the encoding ${encoding}.`, {
    mend: 'Make one with encoding UTF8, and point `url` of the sink at it.',
  })
}
