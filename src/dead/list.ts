import { isUtf8 } from 'node:buffer'
import type { DeadTopic, FoundLetter } from './dead-topic.ts'
import { addressOf, type Letter, type LetterSummary } from './letter.ts'
import type { Resolution } from './resolution.ts'
import { findNamed, type LetterFilter, matching } from './select.ts'

/** The JSON document of `chatfeed dead list`. */
export interface LetterList {
  /** Of all that match, also beyond the limit. */
  total: number
  /** The newest first. */
  letters: ListedLetter[]
}

/** A letter without its text, and what became of it; null while it is open. */
export type ListedLetter = LetterSummary & { resolution: Resolution | null }

/** Everything about a letter: the JSON of `chatfeed dead show` is `{ letters }`. */
export type ShownLetter = ListedLetter & {
  /** Length of the payload; null where the record had no value. */
  bytes: number | null
  /** As text, with U+FFFD for what is no UTF-8. */
  payload: string | null
  /** Only where the text does not hold all of it. */
  payloadBase64: string | null
}

/** The newest letters that match. */
export async function listLetters(
  dead: DeadTopic,
  state: 'open' | 'resolved',
  filter: LetterFilter,
  limit: number,
): Promise<LetterList> {
  let total = 0
  let newest: FoundLetter[] = []
  for await (const found of dead.find(state, matching(filter))) {
    total += found.length
    newest = [...newest, ...found].sort(newestFirst).slice(0, limit)
  }
  const letters = new Map<string, ListedLetter>()
  for await (const letter of dead.read(newest)) letters.set(letter.address, listed(letter))
  return { total, letters: newest.flatMap((found) => letters.get(addressOf(found)) ?? []) }
}

/** The letters that are called so, in the order of their partitions and offsets. Throws as `findNamed`. */
export async function showLetters(dead: DeadTopic, names: readonly string[]): Promise<ShownLetter[]> {
  const letters: ShownLetter[] = []
  for await (const letter of dead.read(await findNamed(dead, names))) {
    const { value } = letter
    letters.push({
      ...listed(letter),
      bytes: value?.length ?? null,
      payload: value && value.toString(),
      payloadBase64: value && !isUtf8(value) ? value.toString('base64') : null,
    })
  }
  return letters
}

function listed(letter: Letter): ListedLetter {
  return { ...letter.summary(), resolution: letter.resolution ?? null }
}

function newestFirst(a: FoundLetter, b: FoundLetter): number {
  return b.atMs - a.atMs || b.offset - a.offset
}
