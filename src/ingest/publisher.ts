import { rawMessageCodec } from '../avro.ts'
import { Producer } from '../kafka/producer.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Logger } from '../log.ts'
import { metrics } from '../metrics.ts'
import { messageId } from '../model.ts'
import type { Publish, RawRecord } from '../providers/provider.ts'

/** Where the records of one source go. */
export interface PublishOptions {
  kafka: KafkaConnection
  log: Logger
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
    const { provider, source, tenant } = this.#options
    const publish = (record: RawRecord) => {
      const origin = `${unit}#${record.position}`
      const id = messageId(provider, tenant, record.messageId ?? origin)
      const value = rawMessageCodec.encode({
        revision: 0,
        id,
        provider,
        source,
        tenant,
        origin,
        fingerprint: record.fingerprint,
        sentAt: record.sentAt,
        fetchedAt,
        payload: record.payload,
      })
      metrics.ingested.inc({ source })
      metrics.ingestedBytes.inc({ source }, record.payload.length)
      return this.#producer.add(Buffer.from(id), value)
    }
    return Object.assign(publish, { flush: () => this.flush() })
  }

  /** Resolves when every record so far is acknowledged by all in-sync replicas. */
  flush(): Promise<void> {
    return this.#producer.flush()
  }

  close(): Promise<void> {
    return this.#producer.close()
  }
}
