import { writeFileSync } from 'node:fs'
import type { Bench } from './context.ts'
import { machine } from './machine.ts'

const intro = `# Benchmark results

Written by \`npm run bench\`; do not edit. Figures are medians of the rounds, with the lowest and the highest behind them.
The contenders of a table ran in turn (A B C A B C …) in one run, for a machine drifts: compare within a table only.
Processor time is user and system time of all the contender's processes, start included unless said otherwise; the
broker's stands beside it. Every run was counted only after an independent reader had found each message in the result
exactly as often as it must be there.`

/** RESULTS.md, written anew after every benchmark with what is known until then. */
export class Report {
  readonly #sections: string[] = []
  readonly #absent: string[] = []

  /** Says that a contender did not take part. */
  absent(bench: string, name: string, how: string): void {
    this.#absent.push(`- ${bench}: without ${name}, which this machine lacks (${how})`)
  }

  add({ name, title }: Bench, messages: number, rounds: number, section: string): void {
    const counted = messages > 1 ? `; ${messages.toLocaleString('en')} messages` : ''
    this.#sections.push(`## ${name}\n\n${title}${counted}, ${rounds} rounds.\n\n${section}`)
  }

  write(): void {
    const head = [machine(), ...this.#absent].join('\n')
    const text = [intro, head, ...this.#sections].join('\n\n')
    writeFileSync(new URL('RESULTS.md', import.meta.url), `${text}\n`)
  }
}
