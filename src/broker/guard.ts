import { setTimeout as sleep } from 'node:timers/promises'
import { ChatfeedError, explain } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { BrokerState } from './broker-state.ts'
import { isRunning } from './process-identity.ts'

const everyMs = 1_000
const longestWaitMs = 30_000

/** How a guard looks after its broker. */
export interface GuardOptions {
  log: Logger
  /** The last words of the broker that ended. */
  lastWords: () => string
  /** The broker that runs instead: one that another process has started meanwhile, or a new one. */
  revive: (signal: AbortSignal) => Promise<BrokerState>
}

/**
 * Sees to it that a broker in use runs: one that ended by itself, because it was killed or its disk was full, is
 * started again, at once and then more and more calmly, for as long as the guard is not stopped. Clients find it at
 * the same address.
 */
export class BrokerGuard {
  /** Rejects when the broker can only come back at another address. */
  readonly failed: Promise<never>
  readonly #options: GuardOptions
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #state: BrokerState
  #trouble: string | null = null
  #fail: (error: Error) => void = () => {}

  constructor(state: BrokerState, options: GuardOptions) {
    this.#state = state
    this.#options = options
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject
    })
    this.failed.catch(() => undefined)
    this.#ended = this.#run()
  }

  /** The broker that serves now, or served last. */
  get state(): BrokerState {
    return this.#state
  }

  /** What keeps the broker from serving, in a sentence for the user; null while it runs. */
  get trouble(): string | null {
    return this.#trouble
  }

  /** Looks after the broker no longer; resolves when no start is under way any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      if (!isRunning(this.#state.broker)) await this.#revive(signal)
      // Unref'd: a command that has done its work does not wait for this.
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => undefined)
    }
  }

  async #revive(signal: AbortSignal): Promise<void> {
    const { log, lastWords, revive } = this.#options
    const { port, broker } = this.#state
    this.#trouble = 'Kafka ended by itself and is started again.'
    log.error({ broker: broker.pid, lastWords: lastWords() }, this.#trouble)
    for (let waitMs = 1_000; !signal.aborted; waitMs = Math.min(waitMs * 2, longestWaitMs)) {
      try {
        this.#state = await revive(signal)
        this.#trouble = null
        if (this.#state.port !== port) this.#fail(moved(port, this.#state.port))
        return
      } catch (error) {
        if (signal.aborted) return
        this.#trouble = explain(error)
        log.error({ waitMs, reason: this.#trouble }, 'Kafka does not start')
        await sleep(waitMs, undefined, { signal }).catch(() => undefined)
      }
    }
  }
}

function moved(from: number, to: number): ChatfeedError {
  return new ChatfeedError('fatal', 'broker_moved', `Kafka had to move from port ${from} to ${to}.`, {
    mend: 'Start chatfeed again: it goes on there.',
  })
}
