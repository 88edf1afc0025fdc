import { setTimeout as wait } from 'node:timers/promises'
import { until } from '../support/kafka.ts'
import { newChatfeed } from './chatfeed.ts'
import type { Bench, Context } from './context.ts'
import { LiveChannel } from './live-channel.ts'
import { Rows, startUp } from './running.ts'
import { table } from './table.ts'

const perSecond = 100
const pollEveryMs = 1_000
const lookEveryMs = 5
const limitMs = 30_000

/** How soon a message can be found. */
export const delay: Bench = {
  name: 'delay',
  title: `a live channel with ${perSecond} msg/s, polled every second → searchable, one \`up\` with all roles`,
  messages: 4_000,
  once: true,
  async run(context) {
    const channel = await LiveChannel.open(context.cleanup, perSecond)
    const delays = await follow(context, channel)
    const head = ['from … until the message can be found', 'p50, ms', 'p99, ms', 'highest, ms']
    return table(head, [
      ['the answer that shows it has been sent', ...figures(delays.map(({ shownMs }) => shownMs))],
      [
        'the provider could show it, less the poll interval',
        ...figures(delays.map(({ writtenMs }) => Math.max(0, writtenMs - pollEveryMs))),
      ],
    ])
  },
}

/** Milliseconds until a message was in SQLite. */
interface Delay {
  shownMs: number
  writtenMs: number
}

async function follow(context: Context, channel: LiveChannel): Promise<Delay[]> {
  const chatfeed = await newChatfeed(context, { sources: [channel.sourceConfig(pollEveryMs)] })
  const up = startUp(context, chatfeed)
  const rows = await Promise.race([Rows.open(chatfeed.database), up.failed])
  // Everyone has joined and found its work when a first message has arrived.
  channel.begin(1)
  await Promise.race([until('the first message is there', () => rows.new().length === 1, limitMs), up.failed])

  const delays: Delay[] = []
  channel.begin(context.messages)
  let progressAt = Date.now()
  while (delays.length < context.messages) {
    const now = Date.now()
    for (const id of rows.new()) {
      const { writtenAt, shownAt } = channel.timesOf(id)
      delays.push({ shownMs: now - shownAt, writtenMs: now - writtenAt })
      progressAt = now
    }
    if (now - progressAt > limitMs) throw new Error(`WRONG RESULT: ${delays.length} messages arrived`)
    await wait(lookEveryMs)
  }
  rows.close()
  await up.stop()
  await (await context.broker()).clear(chatfeed.prefix)
  return delays
}

function figures(values: number[]): string[] {
  const sorted = values.sort((a, b) => a - b)
  return [0.5, 0.99, 1].map((share) => sorted[Math.ceil(share * sorted.length) - 1]!.toFixed(0))
}
