import { program } from './chatfeed.ts'
import type { Bench } from './context.ts'
import { measure } from './measure.ts'
import { range, table } from './table.ts'

const runs = 10

/** How long a user waits for the first word. */
export const start: Bench = {
  name: 'start',
  title: `chatfeed --help, ${runs} runs`,
  messages: 1,
  once: true,
  async run() {
    const measurements = []
    for (let run = 0; run < runs; run++)
      measurements.push(await measure({ words: [process.execPath, program, '--help'] }))
    return table(
      ['who', 'clock, ms', 'processor time, ms'],
      [
        [
          'chatfeed --help',
          range(
            measurements.map(({ wallMs }) => wallMs),
            0,
          ),
          range(
            measurements.map(({ cpuMs }) => cpuMs),
            0,
          ),
        ],
      ],
    )
  },
}
