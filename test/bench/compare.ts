import type { Context } from './context.ts'
import { type Command, type Measurement, measure } from './measure.ts'

/** A run that is ready to begin: everything before it costs nobody anything. */
export interface Prepared {
  command: Command
  /** Throws where the result is wrong. */
  verify?: () => Promise<void>
  clean?: () => Promise<void>
}

/** One who does the work of a benchmark. */
export interface Contender<Input> {
  name: string
  /** What it does less or otherwise, for the reader of the table. */
  remark?: string
  prepare(input: Input): Promise<Prepared>
}

/** A contender that this machine does not have, and how to get it. */
export interface Missing {
  name: string
  missing: string
}

/** A counted run. */
export interface Run extends Measurement {
  brokerCpuMs: number
}

/** The runs of one contender. */
export interface Result {
  name: string
  remark: string
  runs: Run[]
  /** Processor time of the same command with one message: what its start costs. */
  startCpuMs: number
}

/** What the contenders are given. */
export interface Work<Input> {
  input: Input
  /** The same with one message only. */
  one: Input
  messages: number
}

const startRuns = 3

/** Lets the contenders do the same work in turn (A B C A B C …), checks every result, and prints each run. */
export async function compare<Input>(
  context: Context,
  contenders: readonly (Contender<Input> | Missing)[],
  { input, one, messages }: Work<Input>,
): Promise<Result[]> {
  const present = contenders.filter((contender) => 'prepare' in contender)
  for (const contender of contenders)
    if ('missing' in contender) context.absent(contender.name, contender.missing)
  const results: Result[] = []
  for (const contender of present) {
    const starts: number[] = []
    while (starts.length < startRuns) starts.push((await once(context, contender, one)).cpuMs)
    const { name, remark = '' } = contender
    results.push({ name, remark, runs: [], startCpuMs: median(starts) })
  }
  for (let round = 1; round <= context.rounds; round++) {
    for (const [index, contender] of present.entries()) {
      const run = await once(context, contender, input)
      results[index]!.runs.push(run)
      const { wallMs, cpuMs, brokerCpuMs, peakRssMb } = run
      context.say(
        `round ${round}  ${contender.name.padEnd(24)} ${Math.round((messages / wallMs) * 1_000)} msg/s  ` +
          `${((cpuMs * 1_000) / messages).toFixed(2)} µs a message  ` +
          `broker ${((brokerCpuMs * 1_000) / messages).toFixed(2)} µs  ${Math.round(peakRssMb)} MB`,
      )
    }
  }
  return results
}

async function once<Input>(context: Context, contender: Contender<Input>, input: Input): Promise<Run> {
  const { command, verify, clean } = await contender.prepare(input)
  const broker = await context.broker()
  const brokerCpuMs = broker.cpuMs()
  const measurement = await measure(command)
  const run = { ...measurement, brokerCpuMs: broker.cpuMs() - brokerCpuMs }
  await verify?.()
  await clean?.()
  return run
}

/** The middle of some figures; of two middles their mean. */
export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b)
  const half = (sorted.length - 1) / 2
  return (sorted[Math.floor(half)]! + sorted[Math.ceil(half)]!) / 2
}
