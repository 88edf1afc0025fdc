import { setTimeout as delay } from 'node:timers/promises'
import { ChatfeedError, explain } from '../errors.ts'
import type { Logger } from '../log.ts'
import { type Pulse, stalled, Watchdog } from './watchdog.ts'

/**
 * Works on one partition number until `signal` aborts, and resolves when nothing of it is under way any more.
 * Another process may already have begun on the same number: only fencing and idempotent writes keep the two
 * apart. A `transient` error starts the work anew after a moment; any other error is final, and so is a `pulse` that
 * stands still.
 */
export type PartitionWork = (partition: number, signal: AbortSignal, pulse: Pulse) => Promise<void>

/** Longer than the calls of one step are tried, one after the other. */
export const defaultStallMs = 300_000

/** The running work of one group member: one worker a partition number. */
export class PartitionWorkers {
  readonly #work: PartitionWork
  readonly #log: Logger
  readonly #onFailure: (error: Error) => void
  readonly #workers = new Map<number, AbortController>()
  readonly #running = new Set<Promise<void>>()
  readonly #troubles = new Map<number, string>()
  readonly #watchdog: Watchdog<Promise<void>>

  constructor(
    work: PartitionWork,
    log: Logger,
    onFailure: (error: Error) => void,
    stallMs: number = defaultStallMs,
  ) {
    this.#work = work
    this.#log = log
    this.#onFailure = onFailure
    this.#watchdog = new Watchdog(stallMs, (_worker, silentMs) => {
      this.#onFailure(stalled('Work on a partition', silentMs))
    })
  }

  /** The numbers worked on now. */
  get partitions(): number[] {
    return [...this.#workers.keys()].sort((a, b) => a - b)
  }

  /** What keeps the work from going on now, each reason once; empty while all is well. */
  get troubles(): string[] {
    return [...new Set(this.#troubles.values())]
  }

  /** Ends the work on numbers that are not listed and begins on new ones; kept ones are not touched. */
  assign(partitions: readonly number[]): void {
    for (const [partition, abort] of this.#workers) {
      if (partitions.includes(partition)) continue
      abort.abort()
      this.#workers.delete(partition)
      this.#troubles.delete(partition)
    }
    for (const partition of partitions) {
      if (this.#workers.has(partition)) continue
      const abort = new AbortController()
      this.#workers.set(partition, abort)
      const running: Promise<void> = this.#keepWorking(partition, abort.signal, (restMs) => {
        if (this.#running.has(running)) this.#watchdog.feed(running, restMs)
      })
      this.#running.add(running)
      this.#watchdog.feed(running)
      void running.finally(() => {
        this.#running.delete(running)
        this.#watchdog.forget(running)
      })
    }
  }

  /** Ends all work; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.assign([])
    await this.ended()
    this.#watchdog.close()
  }

  /** Resolves when all work begun so far has ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#running])
  }

  async #keepWorking(
    partition: number,
    signal: AbortSignal,
    alive: (restMs?: number) => void,
  ): Promise<void> {
    const pulse: Pulse = {
      alive,
      well: () => {
        alive()
        this.#troubles.delete(partition)
      },
      ill: (reason) => {
        alive()
        if (!signal.aborted) this.#troubles.set(partition, reason)
      },
    }
    for (let waitMs = 100; !signal.aborted; waitMs = Math.min(waitMs * 2, 5_000)) {
      const startedAt = Date.now()
      try {
        await this.#work(partition, signal, pulse)
        return
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof ChatfeedError) || error.remedy !== 'transient') {
          this.#onFailure(error instanceof Error ? error : new Error(String(error)))
          return
        }
        pulse.ill(explain(error))
        this.#log.warn({ partition, code: error.code, reason: error.message }, 'task starts anew')
        if (Date.now() - startedAt > 30_000) waitMs = 100
        const restMs = error.retryAfterMs ?? waitMs
        pulse.alive(restMs)
        await delay(restMs, undefined, { signal }).catch(() => undefined)
      }
    }
  }
}
