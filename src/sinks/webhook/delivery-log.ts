import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Logger } from '../../log.ts'
import { metrics } from '../../metrics.ts'

/** Two files of this size are kept: the one that is written, and the one before. */
const fileBytes = 8 << 20

/** One request, or the refusal of one message. Holds no text, no address and no secret. */
export interface Delivery {
  /** Epoch milliseconds. */
  at: number
  key: string
  /** `delivered`; `refused`: a message that is a dead letter now; `split`: sent again in parts; `failed`: sent again. */
  outcome: 'delivered' | 'refused' | 'split' | 'failed'
  messages: number
  /** Null where there was no answer. */
  status: number | null
  /** From 1, of one batch, in this process. */
  attempt: number
  durationMs: number
}

/** What was sent, when, and what came of it: as metrics, debug lines and JSON lines in `deliveries/SINK.ndjson`. */
export class DeliveryLog {
  readonly #sink: string
  readonly #log: Logger
  readonly #file: string
  #bytes: number

  /** Makes the folder. */
  constructor(sink: string, log: Logger, dataDir: string) {
    this.#sink = sink
    this.#log = log
    this.#file = join(dataDir, 'deliveries', `${encodeURIComponent(sink)}.ndjson`)
    mkdirSync(dirname(this.#file), { recursive: true })
    this.#bytes = statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0
  }

  /** Never throws: a disk that is full must not hold up what arrives all the same. */
  add(delivery: Delivery): void {
    metrics.webhookDeliveries.inc({ sink: this.#sink, outcome: delivery.outcome })
    this.#log.debug({ sink: this.#sink, ...delivery }, 'webhook delivery')
    const line = `${JSON.stringify(delivery)}\n`
    try {
      if (this.#bytes + line.length > fileBytes) {
        renameSync(this.#file, `${this.#file}.1`)
        this.#bytes = 0
      }
      appendFileSync(this.#file, line)
      this.#bytes += line.length
    } catch (error) {
      this.#log.debug(
        { sink: this.#sink, code: (error as NodeJS.ErrnoException).code },
        'delivery not written down',
      )
    }
  }
}
