import type { SearchClient } from './client.ts'
import { positionIndex } from './indices.ts'

/** A stored position, as it lies in its document. */
export interface PositionDocument {
  stream: string
  partition: number
  nextOffset: number
}

/**
 * Positions of one stream, for messages in one incarnation of their index. Those of another incarnation do not count, so
 * that an index that was removed is filled anew; neither do they stand in the way.
 */
export class Positions {
  readonly #client: SearchClient
  readonly #index: string
  readonly #stream: string
  readonly #incarnation: string

  constructor(client: SearchClient, index: string, stream: string, incarnation: string) {
    this.#client = client
    this.#index = positionIndex(index)
    this.#stream = stream
    this.#incarnation = incarnation
  }

  /** Null where there is none. A question by id sees the newest write. */
  async get(partition: number): Promise<number | null> {
    const path = `${this.#path(partition)}?_source_includes=nextOffset`
    const { body } = await this.#client.call<{ _source?: PositionDocument; error?: unknown }>({
      method: 'GET',
      path,
      expect: [404],
    })
    return body._source?.nextOffset ?? null
  }

  /** The offset is the version of its document, so that it never moves backwards. */
  async put(partition: number, nextOffset: number): Promise<void> {
    const path = `${this.#path(partition)}?version=${nextOffset}&version_type=external_gte`
    const body: PositionDocument = { stream: this.#stream, partition, nextOffset }
    await this.#client.call({ method: 'PUT', path, body, expect: [409] })
  }

  #path(partition: number): string {
    return `/${this.#index}/_doc/${encodeURIComponent(`${this.#incarnation}|${this.#stream}|${partition}`)}`
  }
}
