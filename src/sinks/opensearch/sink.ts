import type { ChatfeedError } from '../../errors.ts'
import type { RecordSet } from '../../kafka/record-set.ts'
import type { Message } from '../../model.ts'
import type { Sink, SinkContext } from '../sink.ts'
import { type Operation, sendBulk, type Undone } from './bulk.ts'
import { SearchClient } from './client.ts'
import type { OpensearchConfig } from './config.ts'
import { countBehind } from './count.ts'
import { findEngine } from './engine.ts'
import { idTooLong, indexGone } from './failure.ts'
import { createIndex, incarnation, prepareIndices } from './indices.ts'
import type { Analysis } from './mappings.ts'
import { isIdTooLong, type MessageOperation, toOperation } from './operation.ts'
import { Positions } from './positions.ts'
import { removeOtherCopies } from './months.ts'

/** Opens the sink; makes its template and indices where they are missing. Throws ChatfeedError. */
export async function openOpensearchSink(config: OpensearchConfig, context: SinkContext): Promise<Sink> {
  const { name, index } = config
  const client = new SearchClient(config)
  try {
    const engine = await findEngine(client)
    const analysis = await prepareIndices(client, config)
    const current = await incarnation(client, config)
    if (current === null) throw indexGone(client.url)
    context.log.info({ sink: name, ...engine, index, ...analysis }, 'sink opened')
    return new OpensearchSink(config, context, client, analysis, current)
  } catch (error) {
    await client.close()
    throw error
  }
}

class OpensearchSink implements Sink {
  readonly type = 'opensearch'
  readonly name: string
  readonly #config: OpensearchConfig
  readonly #context: SinkContext
  readonly #client: SearchClient
  readonly #analysis: Analysis
  readonly #incarnation: string
  readonly #positions: Positions
  /** Indices of months that are there. */
  readonly #months = new Set<string>()

  constructor(
    config: OpensearchConfig,
    context: SinkContext,
    client: SearchClient,
    analysis: Analysis,
    current: string,
  ) {
    this.name = config.name
    this.#config = config
    this.#context = context
    this.#client = client
    this.#analysis = analysis
    this.#incarnation = current
    this.#positions = new Positions(client, config.index, context.stream, current)
  }

  async position(partition: number): Promise<number | null> {
    if ((await incarnation(this.#client, this.#config)) !== this.#incarnation)
      throw indexGone(this.#client.url)
    return this.#positions.get(partition)
  }

  async write(records: RecordSet): Promise<readonly number[]> {
    const operations: MessageOperation[] = []
    const refused: [Pick<Message, 'id' | 'revision'>, ChatfeedError][] = []
    for (const message of this.#context.messagesOf(records)) {
      if (isIdTooLong(message)) refused.push([message, idTooLong()])
      else operations.push(toOperation(message, this.#config))
    }
    const undone = await this.#send(operations)
    for (const { operation, error } of undone) refused.push([operation, error])
    const lost = new Set<Operation>(undone.map(({ operation }) => operation))
    const stored = operations.filter((operation) => !lost.has(operation))
    if (this.#config.perMonth) await removeOtherCopies(this.#client, this.#config.index, stored)
    for (const [message, error] of refused) await this.#context.refuse(records, message, error)
    await this.#positions.put(records.partition, records.nextOffset)
    return stored.map(({ fetchedAt }) => fetchedAt)
  }

  rows(): Promise<number | null> {
    return countBehind(this.#client, this.#config.index)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #send(operations: readonly MessageOperation[]): Promise<Undone<MessageOperation>[]> {
    const { index, perMonth } = this.#config
    if (!perMonth) return sendBulk(this.#client, index, operations)
    const months = new Set(operations.map((operation) => operation.index ?? index))
    for (const month of months) await this.#makeMonth(month)
    return sendBulk(this.#client, null, operations)
  }

  async #makeMonth(month: string): Promise<void> {
    if (this.#months.has(month)) return
    await createIndex(this.#client, this.#config.index, month, this.#analysis)
    this.#months.add(month)
  }
}
