import { ChatfeedError } from '../../errors.ts'
import type { Turn } from '../../kafka/reader.ts'
import type { RecordSet } from '../../kafka/record-set.ts'
import type { Sink, SinkContext } from '../sink.ts'
import { batches, type Outgoing } from './batches.ts'
import { Circuit } from './circuit.ts'
import type { WebhookConfig } from './config.ts'
import { type Delivery, DeliveryLog } from './delivery-log.ts'
import { Endpoint, stopped } from './post.ts'
import { judge, type Verdict } from './verdict.ts'

/** Receivers and proxies bound a request; a single message may be larger. */
const batchLength = 4 << 20
/** When so many messages in a row are unfit and nothing else is taken, the receiver is at fault and not they. */
const mostUnfitInRow = 10

/** Opens nothing yet: the receiver is there or not, and each request tells. */
export function openWebhookSink(config: WebhookConfig, context: SinkContext): Promise<Sink> {
  const sender = new Sender(config, context)
  return Promise.resolve({
    name: config.name,
    type: 'webhook',
    position: () => Promise.resolve('group'),
    write: (records, turn) => sender.write(records, turn ?? alone()),
    rows: () => Promise.resolve(null),
    close: () => sender.close(),
  })
}

const alone = (): Turn => ({ signal: new AbortController().signal, reached: () => Promise.resolve() })

/** A batch that was sent and not yet taken. */
interface Sent {
  first: number
  last: number
  attempts: number
}

class Sender {
  readonly #config: WebhookConfig
  readonly #context: SinkContext
  readonly #endpoint: Endpoint
  readonly #circuit = new Circuit()
  readonly #log: DeliveryLog
  /** By partition: sent again, a batch holds the same messages, so that the receiver knows it by its key. */
  readonly #sent = new Map<number, Sent>()
  #unfitInRow = 0

  constructor(config: WebhookConfig, context: SinkContext) {
    this.#config = config
    this.#context = context
    this.#endpoint = new Endpoint(config)
    this.#log = new DeliveryLog(config.name, context.log, context.dataDir)
  }

  async write(records: RecordSet, turn: Turn): Promise<number[]> {
    const fetchedAt: number[] = []
    const endOf = (first: number) => {
      const sent = this.#sent.get(records.partition)
      return sent?.first === first ? sent.last : undefined
    }
    const cut = { count: this.#config.batch, length: batchLength, endOf }
    for (const batch of batches(this.#context.placedMessagesOf(records), cut))
      await this.#deliver(batch, records, turn, fetchedAt)
    return fetchedAt
  }

  close(): Promise<void> {
    return this.#endpoint.close()
  }

  /** Delivers a batch, in halves where the receiver does not take it whole; the one message that is left is refused. */
  async #deliver(
    batch: readonly Outgoing[],
    records: RecordSet,
    turn: Turn,
    fetchedAt: number[],
  ): Promise<void> {
    const [first] = batch
    const last = batch.at(-1)
    if (!first || !last) return
    const verdict = await this.#send(batch, first, last, records, turn.signal)
    if (verdict === 'delivered') {
      for (const message of batch) fetchedAt.push(message.fetchedAt)
    } else if (first === last) {
      const error = new ChatfeedError(
        'message',
        'webhook_refused',
        `${this.#endpoint.host} does not take this message.`,
      )
      await this.#context.refuse(records, first, error)
    } else {
      const middle = batch.length >> 1
      await this.#deliver(batch.slice(0, middle), records, turn, fetchedAt)
      await this.#deliver(batch.slice(middle), records, turn, fetchedAt)
      return
    }
    await turn.reached(last.offset + 1)
  }

  /** Sends a batch once. Throws ChatfeedError `transient` when it has to be sent again. */
  async #send(
    batch: readonly Outgoing[],
    { offset: first }: Outgoing,
    { offset: last }: Outgoing,
    { topic, partition }: RecordSet,
    signal: AbortSignal,
  ): Promise<'delivered' | 'unfit'> {
    if (signal.aborted) throw stopped()
    const key = `${topic}-${partition}-${first}-${last}`
    const body = `[${batch.map(({ json }) => json).join(',')}]`
    return this.#circuit.run(async () => {
      const before = this.#sent.get(partition)
      const attempts = before?.first === first && before.last === last ? before.attempts + 1 : 1
      this.#sent.set(partition, { first, last, attempts })
      const at = Date.now()
      const log = (outcome: Delivery['outcome'], status: number | null) => {
        const durationMs = Date.now() - at
        this.#log.add({ at, key, outcome, messages: batch.length, status, attempt: attempts, durationMs })
      }
      const answer = await this.#endpoint.post(body, key, signal).catch((error: unknown) => {
        log('failed', null)
        throw error
      })
      const verdict = this.#decide(judge(answer, this.#endpoint.host), batch.length)
      if (verdict instanceof ChatfeedError) {
        log('failed', answer.status)
        throw verdict
      }
      log(verdict === 'delivered' ? verdict : batch.length === 1 ? 'refused' : 'split', answer.status)
      this.#sent.delete(partition)
      return verdict
    })
  }

  /** A receiver that takes nothing at all must not make dead letters of everything. */
  #decide(verdict: Verdict, messages: number): Verdict {
    if (verdict === 'delivered') this.#unfitInRow = 0
    if (verdict !== 'unfit' || messages > 1) return verdict
    if (this.#unfitInRow < mostUnfitInRow) {
      this.#unfitInRow++
      return verdict
    }
    const text = `${this.#endpoint.host} has refused ${mostUnfitInRow} messages in a row and takes none.`
    const mend = 'Look into the receiver; to leave messages out, let it answer 204.'
    return new ChatfeedError('transient', 'webhook_refuses_all', text, { mend })
  }
}
