import type { ClientBase } from 'pg'
import { ChatfeedError } from '../../errors.ts'
import { fault, fine, type Finding } from '../../finding.ts'
import type { PostgresConfig } from './config.ts'
import { Connections } from './connections.ts'
import { placeOf } from './failure.ts'
import { isMade } from './migrations.ts'
import { quoted } from './quoted.ts'
import { checkEncoding } from './server.ts'

interface Rights {
  version: string
  replica: boolean
  temporary: boolean
  /** May make the schema, or the tables where the schema is there. */
  make: boolean
}

const rights = `
  select current_setting('server_version') as version,
         pg_is_in_recovery() or current_setting('transaction_read_only')::boolean as replica,
         has_database_privilege(current_database(), 'temporary') as temporary,
         coalesce((select has_schema_privilege(oid, 'create') from pg_namespace where nspname = $1),
                  has_database_privilege(current_database(), 'create')) as make`

/** Whether the database can be reached and written to; reads it only. */
export async function checkPostgres(config: PostgresConfig): Promise<Finding[]> {
  const connections = new Connections(config)
  try {
    return await connections.use((client) => look(client, config))
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    return [fault('database', error.message, error.mend ?? 'Choose another `url` for the sink.')]
  } finally {
    await connections.close()
  }
}

async function look(client: ClientBase, { url, schema }: PostgresConfig): Promise<Finding[]> {
  await checkEncoding(client)
  const { rows } = await client.query<Rights>(rights, [schema])
  const { version = '', replica = true, temporary = false, make = false } = rows[0] ?? {}
  const place = placeOf(url)
  const findings = [fine('server', `PostgreSQL ${version} answers at ${place}.`)]
  if (replica) {
    findings.push(
      fault('server', `${place} may only be read.`, 'Point `url` of the sink at the primary server.'),
    )
  }
  if (!temporary) {
    findings.push(
      fault(
        'rights',
        `The user may not make temporary tables in ${place}.`,
        'Grant it TEMPORARY on the database.',
      ),
    )
  }
  if (await isMade(client, schema)) {
    const table = `${quoted(schema)}.messages`
    const { rows: counted } = await client.query<{ count: string }>(`select count(*) as count from ${table}`)
    findings.push(fine('tables', `${table} holds ${counted[0]?.count} messages.`))
  } else if (make) {
    findings.push(fine('tables', `${schema}.messages is not there yet, up makes it.`))
  } else {
    findings.push(
      fault(
        'rights',
        `The user may not make the tables in ${place}.`,
        `Make the schema ${schema} and grant it CREATE there, or grant it CREATE on the database.`,
      ),
    )
  }
  return findings
}
