import { Producer } from '../kafka/producer.ts'
import type { RecordHeader } from '../kafka/record-batch.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Logger } from '../log.ts'
import type { Letter } from './letter.ts'
import { type Resolution, resolutionHeaders } from './resolution.ts'

/** Where it is written down what became of letters: the topic `dead` itself. */
export interface ResolutionLogOptions {
  kafka: KafkaConnection
  log: Logger
  /** The topic `dead`. */
  deadTopic: string
  /** Ends the patience with a cluster that is away. */
  signal: AbortSignal
}

/** Writes down what became of letters, behind each in its partition. Nothing is written before `flush`. */
export class ResolutionLog {
  readonly #producer: Producer
  #waiting: { partition: number; key: Buffer | null; headers: RecordHeader[] }[] = []
  #written = 0

  private constructor(producer: Producer) {
    this.#producer = producer
  }

  static async open({ kafka, log, deadTopic, signal }: ResolutionLogOptions): Promise<ResolutionLog> {
    return new ResolutionLog(await Producer.open(kafka, log, deadTopic, { signal }))
  }

  /** Letters that wait for `flush`. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** Letters of which Kafka has acknowledged what became of them. */
  get written(): number {
    return this.#written
  }

  add({ deadPartition, deadOffset, key, headers }: Letter, resolution: Resolution): void {
    this.#waiting.push({
      partition: deadPartition,
      key,
      headers: resolutionHeaders(headers, deadOffset, resolution),
    })
  }

  async flush(): Promise<void> {
    for (const { partition, key, headers } of this.#waiting)
      await this.#producer.addTo(partition, key, null, headers)
    await this.#producer.flush()
    this.#written += this.#waiting.length
    this.#waiting = []
  }

  close(): Promise<void> {
    return this.#producer.close()
  }
}
