/**
 * `npm run chaos -- [--minutes 30] [--seed N] [--brokers 1|3] [--processes 3]`: three brokers, simulated providers and
 * some `up` processes of its own, which are disturbed at random, the same way for the same seed. Then all settles, and
 * what arrived is counted. Prints a line a fault and a report; exit status 1 when something is lost, doubled or hangs.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Random } from '../../src/sandbox/random.ts'
import { runChatfeed } from '../support/chatfeed.ts'
import { startCluster } from '../support/cluster.ts'
import { newestRevisions, repeated, type Scene, startScene } from '../support/scene.ts'
import { lanes } from './faults.ts'
import { type Footprint, Processes } from './processes.ts'
import { Standstill } from './standstill.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    brokers: { type: 'string', default: '3' },
    processes: { type: 'string', default: '3' },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
const begunAt = Date.now()
const stopLimitMs = 15_000

const closers: (() => unknown)[] = []
const cleanup = { after: (close: () => unknown) => void closers.push(close) }
const over = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => { over.abort() }) // prettier-ignore

try {
  process.exitCode = (await chaos()) ? 0 : 1
} finally {
  for (const close of closers.reverse()) await close()
}

async function chaos(): Promise<boolean> {
  say(`seed ${seed}, ${minutes} minutes, ${values.brokers} brokers, ${values.processes} processes`)
  const brokers = Number(values.brokers)
  const cluster = await startCluster(cleanup, { brokers, proxied: true })
  const scene = await startScene(cleanup, {
    brokers: cluster.proxied,
    witness: cluster.addresses,
    replicationFactor: brokers,
    messagesPerHour: 1_500,
    since: '70h',
    now: Date.now,
    lookAgain: ['20s', '90s'],
    sources: { easemob: { ratePerMinute: Math.max(4, Math.ceil(200 / minutes)) } },
  })
  const database = join(scene.folder, 'messages.db')
  const processes = new Processes(cleanup, scene.folder, Number(values.processes))
  while (!existsSync(database)) await delay(100)
  const standstill = new Standstill(database)
  await delay(10_000)
  const before = processes.footprint(0)

  setTimeout(() => { over.abort() }, minutes * 60_000).unref() // prettier-ignore
  const deadline = over.signal
  const counts = new Map<string, number>()
  await Promise.all(
    Object.entries(lanes).map(async ([lane, faults]) => {
      const random = new Random(seed, lane)
      while (!deadline.aborted) {
        const [name, fault] = random.pick(Object.entries(faults))
        counts.set(name, (counts.get(name) ?? 0) + 1)
        await fault({ cluster, processes, database, random }, (what) => { say(`${name}: ${what}`) }) // prettier-ignore
        await delay(random.integer(500, 6_000), undefined, { signal: deadline }).catch(() => undefined)
      }
    }),
  )

  say('settling')
  await standstill.untilMoving(60_000)
  await delay(15_000)
  const after = processes.footprint(0)
  standstill.close()
  const complaints = await processes.stop(stopLimitMs)
  for (const { slot, status, lastWords } of processes.selfEnds)
    complaints.push(`process ${slot} ended by itself with ${status}:\n    ${lastWords}`)
  const once = await runChatfeed(cleanup, ['up', '--once', '--json'], { cwd: scene.folder })
  if (once.status !== 0)
    complaints.push(
      `up --once ended with ${once.status}:\n${once.stdout.slice(-1_000)}${once.stderr.slice(-2_000)}`,
    )
  const audit = await runChatfeed(cleanup, ['audit'], { cwd: scene.folder })
  const isKnown = !audit.stderr.includes('unknown command')
  if (isKnown && audit.status !== 0)
    complaints.push(`audit ended with ${audit.status}:\n${audit.stdout.slice(-3_000)}`)
  const figures = await compare(scene, complaints)
  report(
    counts,
    figures,
    standstill.longestMs,
    before,
    after,
    isKnown ? 'balanced' : 'not built yet',
    complaints,
  )
  return complaints.length === 0
}

interface Figures {
  served: ReturnType<Scene['served']>
  unique: number
  messages: number
  rows: number
}

/** Counts by readers that share no code with chatfeed. Adds what is wrong to `complaints`. */
async function compare(scene: Scene, complaints: string[]): Promise<Figures> {
  const served = scene.served()
  const [unique, messages] = [await scene.readUnique(), await scene.readMessages()]
  const stored = scene.stored()
  const revisions = { unique: namesOf(unique), messages: namesOf(messages) }
  for (const [topic, names] of Object.entries(revisions)) {
    const doubled = repeated(names)
    if (doubled.length > 0) complaints.push(`${topic}: ${doubled.length} doubled, such as ${doubled[0]}`)
    const ids = new Set(names.map((name) => name.split(' ')[0])).size
    if (ids !== served.messages)
      complaints.push(`${topic}: ${ids} messages, ${served.messages} were handed out`)
  }
  differ('in unique and not in messages', revisions.unique, revisions.messages, complaints)
  differ('in messages and not in unique', revisions.messages, revisions.unique, complaints)
  const newest = newestRevisions(messages)
  differ('in messages and not stored', newest, stored, complaints)
  differ('stored and not in messages', stored, newest, complaints)
  return { served, unique: unique.length, messages: messages.length, rows: stored.length }
}

function namesOf(records: readonly { id: string; revision: number }[]): string[] {
  return records.map(({ id, revision }) => `${id} ${revision}`)
}

function differ(what: string, all: readonly string[], those: readonly string[], complaints: string[]): void {
  const known = new Set(those)
  const others = all.filter((name) => !known.has(name))
  if (others.length > 0) complaints.push(`${others.length} ${what}, such as ${others[0]}`)
}

function report(
  counts: ReadonlyMap<string, number>,
  { served, unique, messages, rows }: Figures,
  longestMs: number,
  before: Footprint | undefined,
  after: Footprint | undefined,
  audit: string,
  complaints: readonly string[],
): void {
  const footprint = (held: Footprint | undefined) => held ? `${held.rssMb} MB, ${held.handles} handles` : 'unknown' // prettier-ignore
  const faults = [...counts].map(([name, count]) => `${count} ${name}`).join(', ')
  const lines = [
    '',
    `duration            ${((Date.now() - begunAt) / 60_000).toFixed(1)} minutes, seed ${seed}`,
    `faults              ${faults}`,
    `handed out          ${served.rows} rows: ${served.messages} messages, ${served.revisions} contents`,
    `arrived             ${unique} in unique, ${messages} in messages, ${rows} rows in SQLite`,
    `longest standstill  ${(longestMs / 1_000).toFixed(1)} s`,
    `process 0           ${footprint(before)} before the faults, ${footprint(after)} after them`,
    `audit               ${audit}`,
    complaints.length === 0 ? 'Nothing is missing, nothing doubled.' : 'WRONG:',
    ...complaints.map((complaint) => `  - ${complaint}`),
    '',
  ]
  process.stdout.write(lines.join('\n'))
}

function say(text: string): void {
  process.stdout.write(`${((Date.now() - begunAt) / 1_000).toFixed(1).padStart(7)} s  ${text}\n`)
}
