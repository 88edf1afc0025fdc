/**
 * `npm run bench [-- NAME…] [--rounds N] [--messages N]`: compares the built chatfeed with other tools on this machine,
 * on a broker of its own, and puts what it found into RESULTS.md beside this file. Without names all benchmarks run but
 * the long ones. Every result is checked before it counts; a wrong one ends the run. Exit status 1 then, 2 for a bad
 * command line.
 */
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Bench, openShared } from './context.ts'
import { program } from './chatfeed.ts'
import { dedup } from './dedup.ts'
import { dedup10m } from './dedup-10m.ts'
import { delay } from './delay.ts'
import { enrich } from './enrich.ts'
import { growth } from './growth.ts'
import { ingest } from './ingest.ts'
import { memory } from './memory.ts'
import { postgres } from './postgres.ts'
import { opensearch } from './opensearch.ts'
import { Report } from './report.ts'
import { sink } from './sink.ts'
import { start } from './start.ts'
import { whole } from './whole.ts'

const benches: readonly Bench[] = [
  start,
  ingest,
  dedup,
  enrich,
  sink,
  postgres,
  whole,
  delay,
  memory,
  growth,
  dedup10m,
  opensearch,
]

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, messages: { type: 'string' } },
  allowPositionals: true,
})
const rounds = wholeNumber('--rounds', values.rounds)
const messages = values.messages === undefined ? undefined : wholeNumber('--messages', values.messages)
const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name))
if (unknown.length > 0)
  refuse(`No such benchmark: ${unknown.join(', ')}. There are: ${benches.map(({ name }) => name).join(' ')}`)
if (!existsSync(program)) refuse('There is no built chatfeed: npm run build')
const chosen = benches.filter(({ name, long }) =>
  positionals.length > 0 ? positionals.includes(name) : !long,
)

const begunAt = Date.now()
const say = (text: string) => {
  process.stdout.write(`${((Date.now() - begunAt) / 1_000).toFixed(1).padStart(7)} s  ${text}\n`)
}
const shared = openShared(say)
const interrupted = () => {
  void shared.close().finally(() => process.exit(1))
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupted)

const report = new Report()
try {
  for (const bench of chosen) {
    const count = messages ?? bench.messages
    say(`${bench.name}: ${bench.title}`)
    const section = await bench.run({
      ...shared,
      rounds,
      messages: count,
      say,
      absent(name, how) {
        say(`${name} is missing here: ${how}`)
        report.absent(name, how)
      },
    })
    process.stdout.write(`\n${section}\n\n`)
    report.put(bench, count, rounds, section)
    report.write(benches.map(({ name }) => name))
  }
} catch (error) {
  process.exitCode = 1
  console.error(error)
} finally {
  await shared.close()
}

function wholeNumber(option: string, text: string): number {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1) refuse(`${option}: write a whole number from 1`)
  return number
}

function refuse(reason: string): never {
  console.error(reason)
  process.exit(2)
}
