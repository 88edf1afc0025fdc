import { asId, type Json } from './records.ts'

/** The members of a JSON object, of which those that are understood are taken; the others are the rest. */
export class Members {
  readonly #json: Json
  /** A short list: looking through it is cheaper than a set a record. */
  readonly #taken: string[]

  /** `elsewhere` are members that somebody else takes. */
  constructor(json: Json, ...elsewhere: string[]) {
    this.#json = json
    this.#taken = elsewhere
  }

  /** What `read` makes of a member; null leaves it to the rest, unless it says nothing at all. */
  take<T>(name: string, read: (value: unknown) => T | null): T | null {
    const value = this.#json[name]
    const result = read(value)
    if (result !== null || isBlank(value)) this.#taken.push(name)
    return result
  }

  /** Takes an id that says what is known already. */
  takeKnown(name: string, known: string | null): void {
    const value = this.#json[name]
    if (isBlank(value) || (known !== null && asId(value) === known)) this.#taken.push(name)
  }

  /** The member, left where it is. */
  peek(name: string): unknown {
    return this.#json[name]
  }

  drop(...names: readonly string[]): void {
    this.#taken.push(...names)
  }

  /** What nobody has taken, as it came; undefined where there is nothing. */
  rest(): Json | undefined {
    let left: [string, unknown][] | undefined
    for (const name in this.#json) {
      if (!this.#taken.includes(name)) (left ??= []).push([name, this.#json[name]])
    }
    return left && Object.fromEntries(left)
  }
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}
