import { ChatfeedError } from '../errors.ts'
import type { DeadTopic, FoundLetter } from './dead-topic.ts'
import type { Letter } from './letter.ts'

/** What a letter must be like; what is absent does not matter. Times are epoch milliseconds. */
export interface LetterFilter {
  code?: string
  stage?: string
  source?: string
  /** It died then or later. */
  fromMs?: number
  /** It died before. */
  toMs?: number
}

/** The test of a letter that a filter stands for. */
export function matching(filter: LetterFilter): (letter: Letter) => boolean {
  const { code, stage, source, fromMs = -Infinity, toMs = Infinity } = filter
  return (letter) =>
    letter.atMs >= fromMs &&
    letter.atMs < toMs &&
    (code === undefined || letter.text('chatfeed.error.code') === code) &&
    (stage === undefined || letter.text('chatfeed.error.stage') === stage) &&
    (source === undefined || letter.source === source)
}

/** The open letters that a filter accepts. */
export async function findOpen(dead: DeadTopic, filter: LetterFilter): Promise<FoundLetter[]> {
  let all: FoundLetter[] = []
  for await (const found of dead.find('open', matching(filter))) all = all.concat(found)
  return all
}

/**
 * Every letter, open or not, that is called so: a name is a message id, which several letters can share, or the address
 * of one letter, `PARTITION:OFFSET`. Throws ChatfeedError `no_letter` when a name means none.
 */
export async function findNamed(dead: DeadTopic, names: readonly string[]): Promise<FoundLetter[]> {
  const unknown = new Set(names)
  let all: FoundLetter[] = []
  const isNamed = (letter: Letter) => {
    const own = names.filter((name) => name === letter.address || name === letter.id)
    for (const name of own) unknown.delete(name)
    return own.length > 0
  }
  for await (const found of dead.find('all', isNamed)) all = all.concat(found)
  if (unknown.size === 0) return all
  throw new ChatfeedError('fatal', 'no_letter', `There is no dead letter ${[...unknown].join(', ')}.`, {
    mend: 'chatfeed dead list shows what can be named: a message id, or PARTITION:OFFSET.',
  })
}

/**
 * The open ones among the letters that are called so. Throws ChatfeedError `no_letter` as `findNamed`, and when none of
 * them is open any more.
 */
export async function findOpenNamed(dead: DeadTopic, names: readonly string[]): Promise<FoundLetter[]> {
  const open = (await findNamed(dead, names)).filter(({ resolution }) => !resolution)
  if (open.length > 0) return open
  throw new ChatfeedError('fatal', 'no_letter', `Nothing is open any more of ${names.join(', ')}.`, {
    mend: 'chatfeed dead show tells what became of a letter.',
  })
}
