import { rawMessageCodec } from '../avro.ts'
import { Producer } from '../kafka/producer.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Logger } from '../log.ts'
import { metrics } from '../metrics.ts'
import { messageId } from '../model.ts'
import type { Publish } from '../providers/provider.ts'

/** Where the records of one source go. */
export interface PublishOptions {
  kafka: KafkaConnection
  log: Logger
  topic: string
  provider: string
  source: string
  tenant: string
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
    return new Publisher(await Producer.open(options.kafka, options.log, options.topic), options)
  }

  /** The publish function for one unit, counted under the source's name. */
  unit(unit: string): Publish {
    const { provider, source, tenant } = this.#options
    return (record) => {
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
        fetchedAt: Date.now(),
        payload: record.payload,
      })
      metrics.ingested.inc({ source })
      metrics.ingestedBytes.inc({ source }, record.payload.length)
      return this.#producer.add(Buffer.from(id), value)
    }
  }

  /** Resolves when every record so far is acknowledged by all in-sync replicas. */
  flush(): Promise<void> {
    return this.#producer.flush()
  }

  close(): Promise<void> {
    return this.#producer.close()
  }
}
