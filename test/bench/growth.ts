import { compare, type Contender, median } from './compare.ts'
import type { Bench, Context } from './context.ts'
import { hourFile } from './data.ts'
import { chatfeedDedup } from './dedup.ts'
import { filledRaw } from './filled-topics.ts'
import { chatfeedImport } from './ingest.ts'
import { table } from './table.ts'

/** Whether ten times the work costs ten times the time: nothing in it may be quadratic. */
export const growth: Bench = {
  name: 'growth',
  title: 'processor time of 10 × the messages, net of start-up',
  messages: 1_000_000,
  async run(context) {
    const files = (lines: number) => hourFile(lines, context.say)
    const raw = (lines: number) => filledRaw(context, lines)
    const rows = [
      ['ingest', ...(await grow(context, chatfeedImport(context), files))],
      ['dedup', ...(await grow(context, chatfeedDedup(context), raw))],
    ]
    return table(['what', 'messages', 'µs a message', '10 × the messages, µs', 'ratio of the times'], rows)
  },
}

async function grow<Input>(
  context: Context,
  contender: Contender<Input>,
  inputOf: (lines: number) => Promise<Input>,
): Promise<string[]> {
  const small = Math.ceil(context.messages / 10)
  const one = await inputOf(1)
  const netMs: number[] = []
  for (const messages of [small, context.messages]) {
    const work = { input: await inputOf(messages), one, messages }
    const [{ runs, startCpuMs }] = (await compare(context, [contender], work)) as [
      Awaited<ReturnType<typeof compare>>[number],
    ]
    netMs.push(median(runs.map(({ cpuMs }) => cpuMs)) - startCpuMs)
  }
  const [few, many] = netMs as [number, number]
  return [
    small.toLocaleString('en'),
    ((few * 1_000) / small).toFixed(2),
    ((many * 1_000) / context.messages).toFixed(2),
    (many / few).toFixed(2),
  ]
}
