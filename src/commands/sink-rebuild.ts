import { SingleBar } from 'cli-progress'
import { rebuildSink, type RebuildProgress } from '../app/rebuild.ts'
import type { Config } from '../config/config.ts'
import { ChatfeedError } from '../errors.ts'
import type { SinkConfig } from '../sinks/index.ts'
import { type CommonOptions, exitStatus } from './command.ts'
import { withRuntime } from './open.ts'
import { parseTime } from './time.ts'

/** Options of `chatfeed sink rebuild`. */
export interface SinkRebuildOptions extends CommonOptions {
  from?: string
  json?: boolean
}

/**
 * `chatfeed sink rebuild`: sets a sink back and carries everything to it again, with a progress bar. Ends with 1 where
 * it was stopped; `chatfeed up` then goes on where it was.
 */
export async function sinkRebuild(name: string, options: SinkRebuildOptions): Promise<number> {
  const fromMs = options.from === undefined ? null : parseTime(options.from)
  return withRuntime(options, async (runtime, signal) => {
    const sink = sinkNamed(runtime.config, name)
    const display = new Display(name)
    const { done, total } = await rebuildSink(runtime, {
      sink,
      fromMs,
      signal,
      onProgress: (progress) => {
        display.show(progress)
      },
    }).finally(() => {
      display.stop()
    })
    const isDone = done >= total
    const result = { sink: name, type: sink.type, from: fromMs, records: done, total, done: isDone }
    const text = isDone
      ? `${name}: ${done} records carried again.`
      : `${name}: stopped after ${done} of ${total} records; chatfeed up goes on from there.`
    process.stdout.write(`${options.json ? JSON.stringify(result) : text}\n`)
    return isDone ? exitStatus.done : exitStatus.failed
  })
}

function sinkNamed({ sinks }: Config, name: string): SinkConfig {
  const sink = sinks.find((candidate) => candidate.name === name)
  if (sink) return sink
  const names = sinks.map((candidate) => candidate.name).join(', ')
  throw new ChatfeedError('fatal', 'usage', `There is no sink ${name}.`, {
    mend: `Choose from ${names || 'the sinks you configure'}.`,
  })
}

/** A bar on a terminal; elsewhere only what keeps the sink from going on is told, each reason once. */
class Display {
  readonly #bar: SingleBar
  #isStarted = false
  #told: string | null = null

  constructor(name: string) {
    const format = `${name} {bar} {percentage}%  {value} of {total} records  {trouble}`
    this.#bar = new SingleBar({ format, hideCursor: true, stream: process.stderr, fps: 4 })
  }

  show({ done, total, trouble }: RebuildProgress): void {
    if (!process.stderr.isTTY) {
      if (trouble !== null && trouble !== this.#told) process.stderr.write(`${trouble}\n`)
      this.#told = trouble
      return
    }
    if (!this.#isStarted) this.#bar.start(total, done, { trouble: '' })
    this.#isStarted = true
    this.#bar.update(done, { trouble: trouble ?? '' })
  }

  stop(): void {
    this.#bar.stop()
  }
}
