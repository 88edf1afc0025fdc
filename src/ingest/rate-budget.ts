import { ChatfeedError } from '../errors.ts'
import type { RateBudget } from '../providers/provider.ts'
import type { CallLog, RateLimit } from './call-log.ts'

/** Who asks; an earlier one goes first. `backfill` never takes more than half of a limit. */
export const lanes = ['check', 'history', 'backfill'] as const
/** One of `lanes`. */
export type Lane = (typeof lanes)[number]

interface Waiting {
  lane: Lane
  grant: () => void
  refuse: (error: ChatfeedError) => void
}

/** A rest that is nearly over is waited out. */
const shortRestMs = 1_000

/**
 * The calls that one limit allows, shared out by lane and within a lane in the order of asking, spread only as far as
 * the limit demands. Other processes with the same `CallLog` file are counted in.
 */
export class SharedBudget {
  readonly #log: CallLog
  readonly #limit: RateLimit
  readonly #waiting: Waiting[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(log: CallLog, limit: RateLimit) {
    this.#log = log
    this.#limit = limit
  }

  /** The budget as one of the askers sees it. */
  lane(lane: Lane): RateBudget {
    return {
      take: (signal) => this.#take(lane, signal),
      pause: (ms) => {
        this.#log.rest(this.#limit.countedBy, ms)
      },
    }
  }

  #take(lane: Lane, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(signal?.reason as Error)
        this.#grant()
      }
      const waiting: Waiting = {
        lane,
        grant: () => {
          signal?.removeEventListener('abort', leave)
          resolve()
        },
        refuse: (error) => {
          signal?.removeEventListener('abort', leave)
          reject(error)
        },
      }
      signal?.addEventListener('abort', leave, { once: true })
      const behind = this.#waiting.findIndex((other) => lanes.indexOf(other.lane) > lanes.indexOf(lane))
      this.#waiting.splice(behind < 0 ? this.#waiting.length : behind, 0, waiting)
      this.#grant()
    })
  }

  /** Lets go as many as may, and comes back when the first of the others may. */
  #grant(): void {
    clearTimeout(this.#timer)
    for (;;) {
      const first = this.#waiting[0]
      if (first === undefined) return
      const { calls } = this.#limit
      const share = first.lane === 'backfill' ? Math.max(1, Math.floor(calls / 2)) : calls
      const permission = this.#log.take(this.#limit, { name: first.lane, calls: share })
      if (permission.state === 'rest' && permission.ms > shortRestMs) {
        for (const { refuse } of this.#waiting.splice(0)) refuse(resting(permission.ms))
        return
      }
      if (permission.state !== 'granted') {
        this.#timer = setTimeout(() => {
          this.#grant()
        }, permission.ms)
        return
      }
      this.#waiting.shift()
      first.grant()
    }
  }
}

function resting(restMs: number): ChatfeedError {
  const message = `The provider asked for a rest: no call is made for ${Math.ceil(restMs / 1_000)} s more.`
  return new ChatfeedError('transient', 'throttled', message, { retryAfterMs: restMs })
}
