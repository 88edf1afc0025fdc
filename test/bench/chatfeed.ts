import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { type Topics, topicNames } from '../../src/topics.ts'
import { partitions } from './broker.ts'
import type { Context } from './context.ts'
import { type Command, type Measurement, measure } from './measure.ts'

/** The built program, as users run it. */
export const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

const source = {
  name: 'bench',
  provider: 'easemob',
  baseUrl: 'http://127.0.0.1:9',
  org: 'acme',
  app: 'helpdesk',
  clientId: 'nobody',
  clientSecret: 'nothing',
}

/** A chatfeed with a configuration, a data folder and topics of its own. */
export interface Chatfeed {
  prefix: string
  topics: Topics
  folder: string
  database: string
  /** A command line of it. */
  command(...words: string[]): Command
  /** Runs a command line whose time nobody asks for. */
  run(...words: string[]): Promise<Measurement>
  /** Publishes an hour file. */
  import(path: string): Command
}

/** Writes the configuration; `changes` stand over the usual entries. */
export async function newChatfeed(
  context: Context,
  changes: Record<string, unknown> = {},
  prefix = `chatfeed-${randomBytes(4).toString('hex')}.`,
): Promise<Chatfeed> {
  const { address } = await context.broker()
  const folder = join(context.folder, randomBytes(4).toString('hex'))
  mkdirSync(folder)
  const config = join(folder, 'chatfeed.yaml')
  const database = join(folder, 'messages.db')
  const entries = {
    kafka: { brokers: [address], topicPrefix: prefix, partitions, replicationFactor: 1 },
    dataDir: join(folder, 'data'),
    http: { port: 0 },
    sources: [source],
    sinks: [{ name: 'search', type: 'sqlite', path: database }],
    ...changes,
  }
  writeFileSync(config, stringify(entries))
  const command = (...words: string[]): Command => ({
    words: [process.execPath, program, ...words, '--config', config],
    cwd: folder,
  })
  return {
    prefix,
    topics: topicNames(prefix),
    folder,
    database,
    command,
    run: (...words) => measure(command(...words)),
    import: (path) => command('import', path, '--source', source.name),
  }
}
