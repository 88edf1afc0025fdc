import { newChatfeed } from './chatfeed.ts'
import type { Bench, Context } from './context.ts'
import { type HourFile, hourFile } from './data.ts'
import { verifyDatabase } from './database.ts'
import { until } from '../support/kafka.ts'
import { measure } from './measure.ts'
import { Rows, startUp } from './running.ts'
import { range, table } from './table.ts'

const limitMs = 900_000

/** The way of a message through everything, everything on the same cores. */
export const whole: Bench = {
  name: 'whole',
  title:
    'hour file → searchable: import beside a running `up --only dedup,enrich,sink`, broker on the same cores',
  messages: 300_000,
  async run(context) {
    const file = await hourFile(context.messages, context.say)
    const runs: Carried[] = []
    while (runs.length < context.rounds) runs.push(await carry(context, file))
    const figures = (of: (run: Carried) => number, digits = 0) => range(runs.map(of), digits)
    const perMessage = (ms: number) => (ms * 1_000) / file.lines
    const head = ['who', 'msg/s by the clock', 'µs a message: import', 'up', 'broker', 'peak RSS of up, MB']
    return table(head, [
      [
        'chatfeed',
        figures(({ wallMs }) => (file.lines / wallMs) * 1_000),
        figures(({ importMs }) => perMessage(importMs), 2),
        figures(({ upMs }) => perMessage(upMs), 2),
        figures(({ brokerMs }) => perMessage(brokerMs), 2),
        figures(({ peakRssMb }) => peakRssMb),
      ],
    ])
  },
}

/** From the start of the import until the last row is in SQLite; processor times of the three. */
interface Carried {
  wallMs: number
  importMs: number
  upMs: number
  brokerMs: number
  peakRssMb: number
}

async function carry(context: Context, file: HourFile): Promise<Carried> {
  const broker = await context.broker()
  const chatfeed = await newChatfeed(context)
  const up = startUp(context, chatfeed, '--only', 'dedup,enrich,sink')
  const rows = await Promise.race([Rows.open(chatfeed.database), up.failed])
  const untilStored = (count: number) =>
    Promise.race([until(`${count} messages are stored`, () => rows.count() >= count, limitMs), up.failed])
  // Everyone has joined and found its work when the first message, which is also the first of the file, has arrived.
  await measure(chatfeed.import((await hourFile(1, context.say)).path))
  await untilStored(1)

  const before = { at: performance.now(), upMs: up.cpuMs(), brokerMs: broker.cpuMs() }
  const [{ cpuMs: importMs }] = await Promise.all([
    measure(chatfeed.import(file.path)),
    untilStored(file.distinct),
  ])
  const wallMs = performance.now() - before.at
  const upMs = up.cpuMs() - before.upMs
  const brokerMs = broker.cpuMs() - before.brokerMs
  rows.close()
  const peakRssMb = await up.stop()
  verifyDatabase(chatfeed.database, new Uint8Array(file.distinct).fill(1))
  await broker.clear(chatfeed.prefix)
  context.say(`${Math.round((file.lines / wallMs) * 1_000)} msg/s, ${Math.round(wallMs)} ms`)
  return { wallMs, importMs, upMs, brokerMs, peakRssMb }
}
