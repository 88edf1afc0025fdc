import type { Letter } from './letter.ts'

/** Letters that cannot be put back, for one reason; they stay open. */
export interface RefusedLetters {
  reason: string
  count: number
  /** Address of one of them. */
  first: string
}

/** Counts letters that cannot be put back, however many they are. */
export class Refusals {
  readonly #byReason = new Map<string, RefusedLetters>()

  add({ address }: Letter, reason: string): void {
    const { count, first } = this.#byReason.get(reason) ?? { count: 0, first: address }
    this.#byReason.set(reason, { reason, count: count + 1, first })
  }

  byReason(): RefusedLetters[] {
    return [...this.#byReason.values()]
  }
}
