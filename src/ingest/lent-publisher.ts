import { ChatfeedError } from '../errors.ts'
import type { Publish, Reading } from '../providers/provider.ts'
import { type PublishOptions, Publisher } from './publisher.ts'

/** One record that the topic does not take is the trouble of its unit, not of the source. */
function isTooLarge(error: unknown): error is ChatfeedError {
  return error instanceof ChatfeedError && /^kafka_.*too_large$/.test(error.code)
}

/** Opens a publisher when it is first needed, and a new one after an error. */
export class LentPublisher {
  readonly #options: PublishOptions
  #publisher: Publisher | undefined

  constructor(options: PublishOptions) {
    this.#options = options
  }

  /**
   * Lends the publisher to the reading of one unit, fetched at `fetchedAt` (epoch ms); resolves with its answer once every record of it is
   * acknowledged. Throws what the reading or Kafka throws.
   */
  async lend(
    unit: string,
    fetchedAt: number,
    read: (publish: Publish) => Promise<Reading>,
  ): Promise<Reading> {
    this.#publisher ??= await Publisher.open(this.#options)
    try {
      const reading = await read(this.#publisher.unit(unit, fetchedAt))
      await this.#publisher.flush()
      return reading
    } catch (error) {
      await this.close()
      if (!isTooLarge(error)) throw error
      return { state: 'failed', reason: `${error.message} ${error.mend ?? ''}`.trim() }
    }
  }

  async close(): Promise<void> {
    const publisher = this.#publisher
    this.#publisher = undefined
    await publisher?.close()
  }
}
