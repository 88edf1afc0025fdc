import type { Bench } from './context.ts'
import { hourFile } from './data.ts'
import { chatfeedImport } from './ingest.ts'
import { measure } from './measure.ts'
import { table } from './table.ts'

/** Whether an hour file of any size streams. */
export const memory: Bench = {
  name: 'memory',
  title: 'peak memory of an import',
  messages: 5_000_000,
  once: true,
  async run(context) {
    const rows: string[][] = []
    for (const lines of [Math.ceil(context.messages / 10), context.messages]) {
      const file = await hourFile(lines, context.say)
      const { command, verify, clean } = await chatfeedImport(context).prepare(file)
      const { peakRssMb, wallMs } = await measure(command)
      await verify?.()
      await clean?.()
      context.say(`${lines} lines: ${Math.round(peakRssMb)} MB, ${Math.round(wallMs / 1_000)} s`)
      rows.push([lines.toLocaleString('en'), (file.bytes / 2 ** 20).toFixed(0), peakRssMb.toFixed(0)])
    }
    return table(['lines', 'text, MB', 'peak RSS, MB'], rows)
  },
}
