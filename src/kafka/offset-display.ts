import { setTimeout as delay } from 'node:timers/promises'
import { withDeadline } from '../deadline.ts'
import { unlessAborted } from './abort.ts'

/** Between two offsets that are shown; a reader at work takes its steps much faster. */
const everyMs = 200
/** The last offset is shown for the sake of the lag only: the end is not held up for it. */
const lastMs = 1_000

/**
 * Shows the newest offset that a reader has come to, beside its work: each at once when it is quiet, the newest a few
 * times a second when it is busy.
 */
export class OffsetDisplay {
  readonly #show: (offset: number) => Promise<boolean>
  readonly #ending = new AbortController()
  #newest = -1
  #shown = -1
  #showing: Promise<void> | undefined

  /** `show` resolves to whether the offset could be shown; it never rejects. */
  constructor(show: (offset: number) => Promise<boolean>) {
    this.#show = show
  }

  /** Told again, an offset that could not be shown is tried again. */
  tell(offset: number): void {
    this.#newest = offset
    if (offset !== this.#shown) this.#showing ??= this.#keepShowing()
  }

  /** Shows the newest offset once more: the reader that had the partition before may have shown a lower one since. */
  repeat(): void {
    this.#shown = -1
    this.tell(this.#newest)
  }

  /** Resolves when the last offset is shown, or soon. */
  async end(): Promise<void> {
    this.#ending.abort()
    const never = new AbortController().signal
    await withDeadline(lastMs, never, (signal) => unlessAborted(this.#showing ?? Promise.resolve(), signal))
  }

  async #keepShowing(): Promise<void> {
    const { signal } = this.#ending
    for (let isTaken = true; isTaken && this.#shown !== this.#newest;) {
      const offset = this.#newest
      isTaken = await this.#show(offset)
      if (isTaken) this.#shown = offset
      await delay(everyMs, undefined, { signal }).catch(() => undefined)
    }
    this.#showing = undefined
  }
}
