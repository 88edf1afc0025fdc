import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Cleanup } from '../support/cleanup.ts'
import { type BenchBroker, startBroker } from './broker.ts'

/** What every benchmark is given. */
export interface Context {
  rounds: number
  /** Messages that this benchmark works on. */
  messages: number
  /** Below it everything temporary lies; gone at the end. */
  folder: string
  cleanup: Cleanup
  /** The one broker of this run, started when it is first needed. */
  broker: () => Promise<BenchBroker>
  /** Prints a line. */
  say: (text: string) => void
  /** Notes that a contender is missing on this machine, and how to get it. */
  absent: (name: string, how: string) => void
}

/** A benchmark: its name on the command line, and what it finds out, as a section of the report. */
export interface Bench {
  name: string
  /** What is compared, in a sentence. */
  title: string
  /** Without `--messages`. */
  messages: number
  /** Left out unless it is named. */
  long?: true
  /** Runs once, however many rounds are asked for. */
  once?: true
  /** Markdown. */
  run(context: Context): Promise<string>
}

/** What the benchmarks of one run share. */
export type Shared = Pick<Context, 'folder' | 'cleanup' | 'broker'> & { close(): Promise<void> }

/** A temporary folder and a broker, which end with `close`; it may be called again. */
export function openShared(say: (text: string) => void): Shared {
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-bench-'))
  const closers: (() => unknown)[] = []
  const cleanup = { after: (close: () => unknown) => void closers.push(close) }
  let broker: Promise<BenchBroker> | undefined
  let closed: Promise<void> | undefined
  const close = async () => {
    for (const end of closers.reverse()) await end()
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  return {
    folder,
    cleanup,
    broker: () => (broker ??= startBroker(cleanup, folder, say)),
    close: () => (closed ??= close()),
  }
}
