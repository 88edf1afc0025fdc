import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Bench } from './context.ts'
import { machine } from './machine.ts'

const file = new URL('RESULTS.md', import.meta.url)

const intro = `# Benchmark results

Written by \`npm run bench\`; do not edit. Figures are medians of the rounds, with the lowest and the highest behind them.
The contenders of a table ran in turn (A B C A B C …) in one run, for a machine drifts: compare within a table only.
Processor time is user and system time of all the contender's processes, start included unless said otherwise; the
broker's stands beside it. Every run was counted only after an independent reader had found each message in the result
exactly as often as it must be there.`

/** RESULTS.md: a section a benchmark, each as it was last run. */
export class Report {
  readonly #sections = new Map<string, string>()
  readonly #absent: string[] = []

  constructor() {
    const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
    for (const section of text.split(/^## /m).slice(1))
      this.#sections.set(section.slice(0, section.indexOf('\n')), section.trimEnd())
  }

  /** Says that a contender does not take part in the benchmark that runs now. */
  absent(name: string, how: string): void {
    this.#absent.push(`- without ${name}, which this machine lacks (${how})`)
  }

  /** Writes what a benchmark has found in place of what it had found before. */
  put(bench: Bench, messages: number, rounds: number, found: string): void {
    const { name, title, once } = bench
    const counted = bench.messages > 1 ? `; ${messages.toLocaleString('en')} messages` : ''
    const repeated = once ? '' : `; rounds: ${rounds}`
    const circumstances = [machine(), ...this.#absent.splice(0)].join('\n')
    this.#sections.set(name, [name, `${title}${counted}${repeated}.`, circumstances, found].join('\n\n'))
  }

  /** In the order of the names. */
  write(names: readonly string[]): void {
    const sections = names.flatMap((name) => this.#sections.get(name) ?? [])
    writeFileSync(file, `${[intro, ...sections.map((section) => `## ${section}`)].join('\n\n')}\n`)
  }
}
