import { setTimeout as delay } from 'node:timers/promises'
import { ChatfeedError } from '../errors.ts'
import type { Logger } from '../log.ts'

/**
 * Works on one partition number until `signal` aborts, and resolves when nothing of it is under way any more.
 * Another process may already have begun on the same number: only fencing and idempotent writes keep the two
 * apart. A `transient` error starts the work anew after a moment; any other error is final.
 */
export type PartitionWork = (partition: number, signal: AbortSignal) => Promise<void>

/** The running work of one group member: one worker a partition number. */
export class PartitionWorkers {
  readonly #work: PartitionWork
  readonly #log: Logger
  readonly #onFailure: (error: Error) => void
  readonly #workers = new Map<number, AbortController>()
  readonly #running = new Set<Promise<void>>()

  constructor(work: PartitionWork, log: Logger, onFailure: (error: Error) => void) {
    this.#work = work
    this.#log = log
    this.#onFailure = onFailure
  }

  /** The numbers worked on now. */
  get partitions(): number[] {
    return [...this.#workers.keys()].sort((a, b) => a - b)
  }

  /** Ends the work on numbers that are not listed and begins on new ones; kept ones are not touched. */
  assign(partitions: readonly number[]): void {
    for (const [partition, abort] of this.#workers) {
      if (partitions.includes(partition)) continue
      abort.abort()
      this.#workers.delete(partition)
    }
    for (const partition of partitions) {
      if (this.#workers.has(partition)) continue
      const abort = new AbortController()
      this.#workers.set(partition, abort)
      const running = this.#keepWorking(partition, abort.signal)
      this.#running.add(running)
      void running.finally(() => this.#running.delete(running))
    }
  }

  /** Ends all work; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.assign([])
    await this.ended()
  }

  /** Resolves when all work begun so far has ended. */
  async ended(): Promise<void> {
    await Promise.all([...this.#running])
  }

  async #keepWorking(partition: number, signal: AbortSignal): Promise<void> {
    for (let waitMs = 100; !signal.aborted; waitMs = Math.min(waitMs * 2, 5_000)) {
      const startedAt = Date.now()
      try {
        await this.#work(partition, signal)
        return
      } catch (error) {
        if (signal.aborted) return
        if (!(error instanceof ChatfeedError) || error.remedy !== 'transient') {
          this.#onFailure(error instanceof Error ? error : new Error(String(error)))
          return
        }
        this.#log.warn({ partition, code: error.code, reason: error.message }, 'task starts anew')
        if (Date.now() - startedAt > 30_000) waitMs = 100
        await delay(error.retryAfterMs ?? waitMs, undefined, { signal }).catch(() => undefined)
      }
    }
  }
}
