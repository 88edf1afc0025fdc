import type { Message } from '../model.ts'
import type { Selection } from '../sinks/index.ts'

/** So many sinks that choose can be told apart in one number. */
const mostSinks = 24

/** What one sink does with a message, as conditions on the column `chosen`. */
export interface ChoiceSql {
  takes: string
  removes: string
}

/**
 * What the sinks do with each message, as one number: two bits for every sink that does not simply store all. Whole
 * messages need to be read only where there is such a sink.
 */
export class Choices {
  readonly #selections: readonly Selection[]
  readonly #bits: ReadonlyMap<string, number>

  constructor(sinks: readonly { name: string; selection: Selection | null }[]) {
    const choosy = sinks.filter(({ selection }) => selection !== null).slice(0, mostSinks)
    this.#selections = choosy.map(({ selection }) => selection!)
    this.#bits = new Map(choosy.map(({ name }, at) => [name, 2 * at]))
  }

  /** Whether `of` looks at messages at all. */
  get areNeeded(): boolean {
    return this.#selections.length > 0
  }

  of(message: Message): number {
    let chosen = 0
    let bit = 1
    for (const selection of this.#selections) {
      if (selection.takes(message)) chosen += selection.removes(message) ? 3 * bit : bit
      bit *= 4
    }
    return chosen
  }

  /** Null for a sink that stores every message. */
  sqlOf(sink: string): ChoiceSql | null {
    const bit = this.#bits.get(sink)
    if (bit === undefined) return null
    return { takes: `(chosen >> ${bit}) & 1`, removes: `(chosen >> ${bit + 1}) & 1` }
  }
}
