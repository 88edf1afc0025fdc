import { newChatfeed } from './chatfeed.ts'
import type { Bench, Context } from './context.ts'
import { hourFile } from './data.ts'
import { filledUnique } from './filled-topics.ts'
import { type Measurement, measure } from './measure.ts'
import { table } from './table.ts'
import { verify } from './verify.ts'

const freshLines = 1_000_000

/** Whether dedup keeps its pace and its memory with a long history behind it. */
export const dedup10m: Bench = {
  name: 'dedup-10m',
  title: `dedup of ${freshLines.toLocaleString('en')} new messages with a history behind it`,
  messages: 11_112_000,
  long: true,
  once: true,
  async run(context) {
    const [none, history] = [await behind(context, 1), await behind(context, context.messages)]
    const perId = ((history.restart.peakRssMb - none.restart.peakRssMb) * 2 ** 20) / history.ids
    const rows = [none, history].map(({ ids, restart, work }) => [
      ids.toLocaleString('en'),
      restart.wallMs.toFixed(0),
      restart.cpuMs.toFixed(0),
      restart.peakRssMb.toFixed(0),
      (((work.cpuMs - restart.cpuMs) * 1_000) / freshLines).toFixed(2),
      ((freshLines / (work.wallMs - restart.wallMs)) * 1_000).toFixed(0),
      work.peakRssMb.toFixed(0),
    ])
    const head = [
      'ids in unique',
      'start, one message, end: ms',
      'its processor time, ms',
      'its peak RSS, MB',
      'then µs a message, net of start-up',
      'msg/s by the clock, net of start-up',
      'peak RSS, MB',
    ]
    return `${table(head, rows)}\n\nMemory after a restart: ${perId.toFixed(0)} bytes an id.`
  },
}

interface Behind {
  ids: number
  /** A start that finds one message to do: it ends when its state is there. */
  restart: Measurement
  /** The same with many. */
  work: Measurement
}

async function behind(context: Context, lines: number): Promise<Behind> {
  const broker = await context.broker()
  const { prefix, expected } = await filledUnique(context, lines)
  const chatfeed = await newChatfeed(context, {}, prefix)
  const dedup = chatfeed.command('up', '--only', 'dedup', '--once')
  // With nothing to do it would end before its state is there.
  await measure(chatfeed.import((await hourFile(1, context.say, expected.length)).path))
  const restart = await measure(dedup)
  context.say(`restart with ${expected.length} ids: ${Math.round(restart.wallMs)} ms`)
  const fresh = await hourFile(freshLines, context.say, expected.length)
  await measure(chatfeed.import(fresh.path))
  const work = await measure(dedup)
  await verify(
    broker.address,
    chatfeed.topics.unique,
    new Uint8Array(expected.length + fresh.distinct).fill(1),
  )
  await broker.clear(prefix)
  return { ids: expected.length, restart, work }
}
