import type { Json } from './records.ts'

/** The members of a JSON object, of which those that are understood are taken; the others are the rest. */
export class Members {
  readonly #json: Json
  readonly #taken = new Set<string>()

  constructor(json: Json) {
    this.#json = json
  }

  /** What `read` makes of a member; null leaves it to the rest, unless it says nothing at all. */
  take<T>(name: string, read: (value: unknown) => T | null): T | null {
    const value = this.#json[name]
    const result = read(value)
    if (result !== null || isBlank(value)) this.#taken.add(name)
    return result
  }

  /** The member, left where it is. */
  peek(name: string): unknown {
    return this.#json[name]
  }

  drop(...names: readonly string[]): void {
    for (const name of names) this.#taken.add(name)
  }

  /** What nobody has taken, as it came. */
  rest(): Json {
    return Object.fromEntries(Object.entries(this.#json).filter(([name]) => !this.#taken.has(name)))
  }
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}
