import logUpdate from 'log-update'
import { summaryLine, summaryText, type SummaryModel } from './summary-text.ts'
import { SummaryFigures, type SummarySubject } from './summary-figures.ts'

/** How the summary is shown. */
export interface LiveSummaryOptions {
  /** A terminal: the picture is drawn in place. Otherwise a line now and then. */
  live: boolean
  /** Only progress words. */
  quiet: boolean
}

const redrawMs = 1_000
const lineMs = 30_000

/** The calm picture that `chatfeed up` shows. */
export class LiveSummary {
  readonly #options: LiveSummaryOptions
  #timer: NodeJS.Timeout | undefined

  constructor(options: LiveSummaryOptions) {
    this.#options = options
  }

  /** A few words while something takes its time. */
  say(text: string): void {
    if (this.#options.live) logUpdate(text)
    else process.stderr.write(`${text}\n`)
  }

  start(subject: SummarySubject): void {
    if (this.#options.quiet) return
    const figures = new SummaryFigures(subject)
    const model = (): Promise<SummaryModel> => figures.take()
    const draw = async () => {
      const text = await model()
      if (!this.#timer) return
      if (this.#options.live) logUpdate(summaryText(text, process.stdout.columns))
      else process.stdout.write(`${summaryLine(text)}\n`)
    }
    this.#timer = setInterval(() => void draw(), this.#options.live ? redrawMs : lineMs)
    if (this.#options.live) void draw()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    if (this.#options.live) {
      logUpdate.done()
      process.stdout.write('finishing what is under way…\n')
    }
  }
}
