import { setTimeout as delay } from 'node:timers/promises'
import { withDeadline } from '../deadline.ts'
import { explain } from '../errors.ts'
import { unlessAborted } from '../kafka/abort.ts'
import { Connection } from '../kafka/connection.ts'
import { kafkaError } from '../kafka/kafka-error.ts'
import { measureLag } from './lag.ts'
import type { Pipeline } from './pipeline.ts'
import type { Runtime } from './runtime.ts'

const everyMs = 2_000
/** A broker that does not answer for so long is away for whoever waits; the call itself is given more time. */
const answerMs = 5_000
/** Measuring is made anew soon anyhow. */
const retryMs = 1_000

/**
 * Looks at the lag of this process's stages every two seconds, for the terminal, the metrics and `/readyz`, and says
 * in the log when Kafka goes away and comes back.
 */
export class Watch {
  /** Records behind, by role; absent while unknown. */
  readonly lag = new Map<string, number>()
  readonly #runtime: Runtime
  readonly #pipeline: Pipeline
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #away: { reason: string; sinceMs: number } | null = null

  constructor(runtime: Runtime, pipeline: Pipeline) {
    this.#runtime = runtime
    this.#pipeline = pipeline
    this.#ended = this.#run()
  }

  /** What does not work now, in sentences for the user; empty while all is well. */
  troubles(): string[] {
    // Without Kafka every role has the same trouble.
    if (this.#runtime.brokerTrouble !== null) return [this.#runtime.brokerTrouble]
    return this.#away ? [this.#away.reason] : this.#pipeline.troubles()
  }

  /** Why this process is not ready: what does not work, stages behind, sources with due units or stopped. */
  notReady(): string[] {
    const reasons = this.troubles()
    for (const name of this.#pipeline.joining()) reasons.push(`${name}: has not joined its group yet`)
    const isAway = this.#runtime.brokerTrouble !== null || this.#away !== null
    for (const { name, gathers } of this.#pipeline.stages) {
      const lag = this.lag.get(name)
      if (lag !== undefined && lag > 1_000 && !gathers) reasons.push(`${name}: ${lag} records behind`)
      if (lag === undefined && !isAway) reasons.push(`${name}: lag not yet known`)
    }
    for (const [name, { state, detail, units }] of this.#pipeline.sources) {
      if (state === 'stopped') reasons.push(`${name}: stopped: ${detail}`)
      else if (state === 'waiting' && detail) reasons.push(`${name}: ${detail}`)
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
    const connection = new Connection(kafka, log, signal, retryMs)
    while (!signal.aborted) {
      const measuring = this.#measure(connection)
      const answered = await withDeadline(answerMs, signal, (either) => unlessAborted(measuring, either))
      if (answered === undefined && !signal.aborted) this.#isAway('Kafka does not answer.')
      await unlessAborted(measuring, signal)
      await delay(everyMs, undefined, { signal }).catch(() => undefined)
    }
    await connection.close()
  }

  /** Never rejects: resolves to whether Kafka answered. */
  async #measure(connection: Connection): Promise<boolean> {
    try {
      // A process that only ingests has no lag to ask for.
      if (this.#pipeline.stages.length === 0) await connection.retry('metadata', () => connection.refresh())
      for (const { name, groupId, inputs } of this.#pipeline.stages) {
        let sum = 0
        for (const topic of inputs) sum += (await measureLag(connection, groupId, topic)).lag
        this.lag.set(name, sum)
      }
      this.#isBack()
      return true
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#isAway(explain(kafkaError(error, 'measuring lag')))
      return false
    }
  }

  #isAway(reason: string): void {
    // Old figures would be a lie.
    this.lag.clear()
    if (!this.#away) this.#runtime.log.warn({ reason }, 'Kafka is away: waiting for it')
    this.#away = { reason, sinceMs: this.#away?.sinceMs ?? Date.now() }
  }

  #isBack(): void {
    if (this.#away)
      this.#runtime.log.info({ awayMs: Date.now() - this.#away.sinceMs }, 'Kafka is back: going on')
    this.#away = null
  }
}
