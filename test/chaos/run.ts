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
import { type Footprint, swollen } from '../support/footprint.ts'
import { startScene } from '../support/scene.ts'
import { auditOf } from './audit.ts'
import { countArrived, type Figures } from './count.ts'
import { lanes } from './faults.ts'
import { Processes } from './processes.ts'
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
const stopEarly = () => {
  over.abort()
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stopEarly)

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
  const before = processes.footprints()[0]

  setTimeout(stopEarly, minutes * 60_000).unref()
  const deadline = over.signal
  const counts = new Map<string, number>()
  await Promise.all(
    Object.entries(lanes).map(async ([lane, faults]) => {
      const random = new Random(seed, lane)
      while (!deadline.aborted) {
        const [name, fault] = random.pick(Object.entries(faults))
        counts.set(name, (counts.get(name) ?? 0) + 1)
        await fault({ cluster, processes, database, random }, (what) => {
          say(`${name}: ${what}`)
        })
        await delay(random.integer(500, 6_000), undefined, { signal: deadline }).catch(() => undefined)
      }
    }),
  )

  say('settling')
  const complaints: string[] = []
  await standstill.untilMoving(60_000).catch((error: unknown) => complaints.push(String(error)))
  await delay(15_000)
  const after = processes.footprints()
  standstill.close()
  // In the end one process may hold the work that all had shared.
  complaints.push(...(await processes.stop(stopLimitMs)), ...swollen(before, after, Number(values.processes)))
  for (const { slot, status, lastWords } of processes.selfEnds)
    complaints.push(`process ${slot} ended by itself with ${status}:\n    ${lastWords}`)
  const once = await runChatfeed(cleanup, ['up', '--once', '--json'], { cwd: scene.folder })
  if (once.status !== 0)
    complaints.push(
      `up --once ended with ${once.status}:\n${once.stdout.slice(-1_000)}${once.stderr.slice(-2_000)}`,
    )
  const audit = await auditOf(cleanup, scene.folder)
  complaints.push(...audit.complaints)
  const figures = await countArrived(scene, complaints)
  report({
    counts,
    figures,
    longestMs: standstill.longestMs,
    before,
    after,
    audit: audit.verdict,
    complaints,
  })
  return complaints.length === 0
}

interface Report {
  counts: ReadonlyMap<string, number>
  figures: Figures
  longestMs: number
  before: Footprint | undefined
  after: readonly (Footprint | undefined)[]
  audit: string
  complaints: readonly string[]
}

function report({ counts, figures, longestMs, before, after, audit, complaints }: Report): void {
  const { served, raw, unique, messages, rows } = figures
  const faults = [...counts].map(([name, count]) => `${count} ${name}`).join(', ')
  const lines = [
    '',
    `duration            ${((Date.now() - begunAt) / 60_000).toFixed(1)} minutes, seed ${seed}`,
    `faults              ${faults}`,
    `handed out          ${served.rows} rows: ${served.messages} messages, ${served.revisions} contents`,
    `arrived             ${raw} in raw, ${unique} in unique, ${messages} in messages, ${rows} rows in SQLite`,
    `longest standstill  ${(longestMs / 1_000).toFixed(1)} s`,
    `process 0           ${textOf(before)} before the faults`,
    `every process       ${after.map(textOf).join('; ')} after them`,
    `audit               ${audit}`,
    complaints.length === 0 ? 'Nothing is missing, nothing doubled.' : 'WRONG:',
    ...complaints.map((complaint) => `  - ${complaint}`),
    '',
  ]
  process.stdout.write(lines.join('\n'))
}

function textOf(held: Footprint | undefined): string {
  return held ? `${held.rssMb} MB, ${held.handles} handles` : 'unknown'
}

function say(text: string): void {
  process.stdout.write(`${((Date.now() - begunAt) / 1_000).toFixed(1).padStart(7)} s  ${text}\n`)
}
