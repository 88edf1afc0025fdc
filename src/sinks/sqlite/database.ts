import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type DatabaseSyncInstance as Database } from '@photostructure/sqlite'
import { ChatfeedError } from '../../errors.ts'

/** Marks the file as ours ("chfd"), so that the database of another program is never written to. */
const applicationId = 0x63686664

/**
 * The n-th entry leads from `user_version` n to n + 1; released entries never change.
 *
 * `message_words` is the full-text index: its rowid is the rowid of `messages`, its text is made by words.ts and
 * not kept. SQLite keeps the rowids of a table that has an index through VACUUM.
 */
const migrations = [
  `create table messages (
     id text primary key not null,
     revision integer not null,
     provider text not null,
     source text not null,
     tenant text not null,
     message_id text not null,
     conversation_kind text not null,
     conversation_id text not null,
     sender_id text,
     sender_name text,
     sender_role text,
     recipient text,
     sent_at integer not null,
     kind text not null,
     provider_type text not null,
     text text,
     status text not null,
     latitude real,
     longitude real,
     address text,
     session text,
     refers_to text,
     data text,
     attachments text not null,
     origin text not null
   );
   create table positions (
     stream text not null,
     partition integer not null,
     next_offset integer not null,
     primary key (stream, partition)
   ) without rowid;
   create virtual table message_words using fts5 (words, content = '', contentless_delete = 1, tokenize = 'ascii');`,
]

/**
 * SQLite waits for another program's lock for so long. A writer fails at once: its caller tries again, and more often
 * than SQLite would, so that two processes share a database fairly.
 */
const busyTimeoutMs = { writing: 0, reading: 2_000 } as const

/**
 * Opens the database for writing; makes it, its folder and its tables where they are missing.
 *
 * `synchronous = normal` in WAL mode: a crash of the process loses nothing; a loss of power can take back the last
 * transactions, whole: rows and positions stay in step, and the reader reads on from the older position.
 */
export function openForWriting(path: string): Database {
  mkdirSync(dirname(path), { recursive: true })
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs.writing })
  try {
    // Before the first write to the file, journal mode included.
    schemaVersion(db, path)
    // A large cache and rare checkpoints: ids arrive in no order, so every batch touches pages all over the index.
    db.exec(`pragma journal_mode = wal; pragma synchronous = normal;
             pragma cache_size = -64000; pragma wal_autocheckpoint = 4000`)
    inTransaction(db, () => migrate(db, path))
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** Opens the database for reading beside a running writer. Undefined when it has no tables yet. */
export function openForReading(path: string): Database | undefined {
  const db = new DatabaseSync(path, { readOnly: true, timeout: busyTimeoutMs.reading })
  try {
    if (schemaVersion(db, path) === migrations.length) return db
  } catch (error) {
    db.close()
    throw error
  }
  db.close()
  return undefined
}

/** Runs `work` in one write transaction: everything or nothing. */
export function inTransaction<T>(db: Database, work: () => T): T {
  db.exec('begin immediate')
  try {
    const result = work()
    db.exec('commit')
    return result
  } catch (error) {
    // After some faults (disk full) SQLite has already rolled back.
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}

function migrate(db: Database, path: string): void {
  const version = schemaVersion(db, path)
  if (version === migrations.length) return
  for (const step of migrations.slice(version)) db.exec(step)
  db.exec(`pragma application_id = ${applicationId}; pragma user_version = ${migrations.length}`)
}

/** 0 for an empty file. Throws `fatal` when the database is another program's or a newer chatfeed's. */
function schemaVersion(db: Database, path: string): number {
  const { application, version, tables } = db
    .prepare(
      `select (select application_id from pragma_application_id) as application,
              (select user_version from pragma_user_version) as version,
              (select count(*) from sqlite_schema) as tables`,
    )
    .get() as { application: number; version: number; tables: number }
  if (tables === 0) return 0
  if (application !== applicationId) {
    throw refusal('sqlite_foreign', `The database ${path} belongs to another program.`, 'Point')
  }
  if (version > migrations.length) {
    throw refusal(
      'sqlite_newer',
      `The database ${path} was written by a newer chatfeed.`,
      'Update chatfeed, or point',
    )
  }
  return version
}

function refusal(code: string, message: string, way: string): ChatfeedError {
  return new ChatfeedError('fatal', code, message, { mend: `${way} \`path\` of the sink at another file.` })
}
