import type { Codecs } from '../codecs.ts'
import { Producer } from '../kafka/producer.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Logger } from '../log.ts'
import { metrics } from '../metrics.ts'
import type { Publish, RawRecord } from '../providers/provider.ts'
import { RawMessageWriter } from './raw-message-writer.ts'

/** Where the records of one source go. */
export interface PublishOptions {
  kafka: KafkaConnection
  log: Logger
  codecs: Codecs
  topic: string
  provider: string
  source: string
  tenant: string
  /** Ends the patience with a cluster that is away. */
  signal: AbortSignal
}

/**
 * Puts records into the raw topic, byte for byte, in their envelope. After an error it is of no use any more:
 * close it, open a new one and read the unit again.
 */
export class Publisher {
  readonly #producer: Producer
  readonly #options: PublishOptions
  /** Not yet counted: a metric costs as much as half a record. */
  #records = 0
  #bytes = 0

  private constructor(producer: Producer, options: PublishOptions) {
    this.#producer = producer
    this.#options = options
  }

  static async open(options: PublishOptions): Promise<Publisher> {
    const { kafka, log, topic, signal } = options
    return new Publisher(await Producer.open(kafka, log, topic, { signal }), options)
  }

  /**
   * The publish function for one unit, counted under the source's name. `fetchedAt` is when the provider was asked
   * (epoch ms): of two contents of a message the one fetched later wins, however late it is published.
   */
  unit(unit: string, fetchedAt: number): Publish {
    const { codecs, provider, source, tenant } = this.#options
    const writer = new RawMessageWriter(codecs.rawMessage, { provider, source, tenant, unit, fetchedAt })
    const publish = (record: RawRecord) => {
      writer.write(record)
      this.#records++
      this.#bytes += record.payload.length
      const room = this.#producer.addParts(writer, record.payload)
      if (room) this.#count()
      return room
    }
    return Object.assign(publish, { flush: () => this.flush() })
  }

  /** Resolves when every record so far is acknowledged by all in-sync replicas. */
  flush(): Promise<void> {
    this.#count()
    return this.#producer.flush()
  }

  close(): Promise<void> {
    this.#count()
    return this.#producer.close()
  }

  #count(): void {
    const { source } = this.#options
    metrics.ingested.inc({ source }, this.#records)
    metrics.ingestedBytes.inc({ source }, this.#bytes)
    this.#records = this.#bytes = 0
  }
}
