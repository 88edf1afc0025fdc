import { setTimeout as delay } from 'node:timers/promises'
import { Connection } from '../kafka/connection.ts'
import { kafkaError } from '../kafka/kafka-error.ts'
import { measureLag } from './lag.ts'
import type { Pipeline } from './pipeline.ts'
import type { Runtime } from './runtime.ts'

const everyMs = 2_000

/** Looks at the lag of this process's stages every two seconds, for the terminal, the metrics and `/readyz`. */
export class Watch {
  /** Records behind, by role; absent until first measured. */
  readonly lag = new Map<string, number>()
  readonly #runtime: Runtime
  readonly #pipeline: Pipeline
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>

  constructor(runtime: Runtime, pipeline: Pipeline) {
    this.#runtime = runtime
    this.#pipeline = pipeline
    this.#ended = this.#run()
  }

  /** Why this process is not ready: stages behind, sources with due units or stopped. */
  notReady(): string[] {
    const reasons: string[] = []
    for (const { name } of this.#pipeline.stages) {
      const lag = this.lag.get(name)
      if (lag === undefined) reasons.push(`${name}: lag not yet known`)
      else if (lag > 1_000) reasons.push(`${name}: ${lag} records behind`)
    }
    for (const [name, { state, detail, units }] of this.#pipeline.sources) {
      if (state === 'stopped') reasons.push(`${name}: stopped: ${detail}`)
      else if (units.due > 1) reasons.push(`${name}: ${units.due} units due`)
    }
    return reasons
  }

  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { kafka, log } = this.#runtime
    const { signal } = this.#stopping
    const connection = new Connection(kafka, log, signal)
    while (!signal.aborted) {
      try {
        for (const { name, groupId, inputs } of this.#pipeline.stages) {
          let sum = 0
          for (const topic of inputs) sum += (await measureLag(connection, groupId, topic)).lag
          this.lag.set(name, sum)
        }
      } catch (error) {
        // Kafka is away: the stages say so themselves; old figures would be a lie.
        log.debug({ code: kafkaError(error, 'measuring lag').code }, 'lag not known')
        this.lag.clear()
      }
      await delay(everyMs, undefined, { signal }).catch(() => undefined)
    }
    await connection.close()
  }
}
