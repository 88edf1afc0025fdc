import { SingleBar } from 'cli-progress'
import type { BackfillProgress } from '../ingest/backfill/loop.ts'

/** How far a backfill is, and of how much. */
type Progress = BackfillProgress & { total: number }

const redrawMs = 500
const lineMs = 30_000

/** Shows how far a backfill is: a bar on a terminal, elsewhere a line every 30 s. */
export class ProgressDisplay {
  readonly #stream: NodeJS.WriteStream
  readonly #bar: SingleBar
  readonly #timer: NodeJS.Timeout
  #startedAt = Date.now()
  /** Hours that were done with at the start: they took no time. */
  #given = 0
  #progress: Progress | undefined

  constructor(source: string, stream: NodeJS.WriteStream) {
    this.#stream = stream
    const format = `${source} {bar} {value}/{total} hours  {state}`
    this.#bar = new SingleBar({ format, hideCursor: true, stream, fps: 4 })
    this.#timer = setInterval(() => this.#draw(), stream.isTTY ? redrawMs : lineMs)
  }

  update(progress: Progress): void {
    // Until the provider has told of its channels there is no total.
    if (progress.total === 0) {
      if (progress.rest) this.#stream.write(`backfill: ${this.#state(progress)}\n`)
      return
    }
    const isFirst = !this.#progress
    this.#progress = progress
    if (!isFirst) return
    this.#startedAt = Date.now()
    this.#given = progress.done
    this.#bar.start(progress.total, progress.done, { state: this.#state(progress) })
  }

  stop(): void {
    clearInterval(this.#timer)
    if (this.#stream.isTTY) this.#draw()
    this.#bar.stop()
  }

  #draw(): void {
    if (!this.#progress) return
    const { done, total } = this.#progress
    const state = this.#state(this.#progress)
    if (this.#stream.isTTY) this.#bar.update(done, { state })
    else this.#stream.write(`backfill: ${done}/${total} hours  ${state}\n`)
  }

  #state(progress: Progress): string {
    return stateOf(progress, this.#given, Date.now() - this.#startedAt, Date.now())
  }
}

/** Records, and the rest that is being kept or about how long it still takes. */
export function stateOf(
  { done, total, records, rest }: Progress,
  given: number,
  elapsedMs: number,
  nowMs: number,
): string {
  const count = `${records.toLocaleString('en')} records`
  if (rest && rest.untilMs > nowMs) return `${count}  waits ${time(rest.untilMs - nowMs)}: ${rest.reason}`
  const own = done - given
  if (done === total) return count
  return own === 0 ? count : `${count}  about ${time((elapsedMs / own) * (total - done))} left`
}

function time(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  if (seconds < 90) return `${seconds} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 90 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
