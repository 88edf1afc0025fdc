import type { ClientBase } from 'pg'
import { ChatfeedError } from '../../errors.ts'
import { quoted } from './quoted.ts'

/**
 * The n-th entry leads from version n to n + 1; released entries never change. `S` stands for the schema. Texts that
 * are compared, not shown, have the collation "C": it is the fastest, and does not change with the operating system.
 */
const migrations = [
  `create table S.messages (
     id text collate "C" primary key,
     revision integer not null,
     provider text not null,
     source text collate "C" not null,
     tenant text not null,
     message_id text not null,
     conversation_kind text not null,
     conversation_id text collate "C" not null,
     sender_id text collate "C",
     sender_name text,
     sender_role text,
     recipient text,
     sent_at timestamptz not null,
     kind text not null,
     provider_type text not null,
     text text,
     status text not null,
     latitude double precision,
     longitude double precision,
     address text,
     session text,
     refers_to text,
     data jsonb,
     attachments jsonb not null,
     origin text not null
   );
   create index messages_conversation on S.messages (conversation_id, sent_at);
   create index messages_sender on S.messages (sender_id, sent_at);
   create index messages_source on S.messages (source, sent_at);
   create index messages_time on S.messages (sent_at);
   create table S.positions (
     stream text collate "C" not null,
     partition integer not null,
     next_offset bigint not null,
     primary key (stream, partition)
   );`,
]

/** Any number that other programs are not likely to lock. */
const lockClass = 0x63686664

/**
 * Makes the schema and its tables where they are missing, and brings them to this version. Many processes may do so at
 * once. Throws ChatfeedError `fatal` where the tables are another program's or a newer chatfeed's, errors of the driver
 * otherwise.
 */
export async function migrate(client: ClientBase, schema: string): Promise<void> {
  if ((await versionOf(client, schema)) === migrations.length) return // needs no right to make anything
  const S = quoted(schema)
  await client.query('begin')
  try {
    await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [lockClass, schema])
    const version = await versionOf(client, schema)
    if (version === null) {
      const { rows } = await client.query('select from pg_namespace where nspname = $1', [schema])
      if (rows.length === 0) await client.query(`create schema ${S}`)
      await client.query(`create table ${S}.chatfeed_version (version integer not null);
                          insert into ${S}.chatfeed_version values (0)`)
    }
    for (const step of migrations.slice(version ?? 0))
      await client.query(step.replaceAll('S.', () => `${S}.`))
    await client.query(`update ${S}.chatfeed_version set version = $1`, [migrations.length])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined) // a lost connection has rolled back by itself
    throw error
  }
}

/** Whether the tables are there, in any version that this chatfeed knows. Throws as `migrate` does. */
export async function isMade(client: ClientBase, schema: string): Promise<boolean> {
  return (await versionOf(client, schema)) === migrations.length
}

/** Null where nothing is made yet. */
async function versionOf(client: ClientBase, schema: string): Promise<number | null> {
  const { rows: found } = await client.query<{ relname: string }>(
    `select relname from pg_class join pg_namespace n on n.oid = relnamespace
     where nspname = $1 and relname in ('messages', 'positions', 'chatfeed_version')`,
    [schema],
  )
  const tables = found.map(({ relname }) => relname)
  if (tables.length === 0) return null
  if (!tables.includes('chatfeed_version')) {
    throw refusal(
      'postgres_foreign',
      `The schema ${schema} has a table ${tables.join(', ')} of another program.`,
      'Give',
    )
  }
  const { rows } = await client.query<{ version: number }>(
    `select version from ${quoted(schema)}.chatfeed_version`,
  )
  const version = rows[0]?.version ?? 0
  if (version > migrations.length) {
    throw refusal(
      'postgres_newer',
      `The schema ${schema} was made by a newer chatfeed.`,
      'Update chatfeed, or give',
    )
  }
  return version
}

function refusal(code: string, message: string, way: string): ChatfeedError {
  return new ChatfeedError('fatal', code, message, { mend: `${way} the sink another \`schema\`.` })
}
