import type { Topics } from '../topics.ts'
import type { Accounts } from './accounts.ts'
import { checkDoubles } from './doubles.ts'
import { checkLines } from './lines.ts'
import { checkDead, checkMessages, checkUnique } from './passage.ts'
import { Problems } from './problems.ts'
import type { Tables } from './tables.ts'

/** What was taken in, and what may be gone from it. */
export interface Taken {
  tables: Tables
  accounts: Accounts
  topics: Topics
  rawTopics: readonly string[]
  rawTopicOf: (source: string) => string | null
  /** By topic: records older than this may be gone in due time, epoch ms; 0 where all are kept. */
  goneBeforeMs: ReadonlyMap<string, number>
  /** Whether `messages` keeps only the newest revision of an id. */
  isCompacted: boolean
  /** How long dedup recognises a repeat. */
  windowMs: number
}

/** What was found, and what was noticed beside it. */
export interface Found {
  problems: Problems
  /** Units whose lines could not be compared, for `raw` need no longer hold them. */
  uncompared: number
  /** Records of `messages` that are no messages. */
  foreign: number
}

/** Compares the sorted tables with each other and with the ledger; the sinks are not asked. */
export function findProblems(taken: Taken): Found {
  const { tables, accounts, topics, rawTopics, rawTopicOf, isCompacted, windowMs } = taken
  const problems = new Problems(tables)
  const choose = tables.db.prepare('insert into audited values (?, ?)')
  for (const [unit, { publishedAt }] of accounts.audited()) choose.run(unit, publishedAt)
  reportUnread(accounts, problems)

  const gone = (topic: string) => taken.goneBeforeMs.get(topic) ?? 0
  const mostGone = Math.max(...rawTopics.map(gone))
  const uncompared = checkLines(tables, accounts, problems, (source) => {
    const topic = rawTopicOf(source)
    return topic === null ? mostGone : gone(topic)
  })
  const { unique, messages, dead } = topics
  const goneBeforeMs = { unique: gone(unique), messages: gone(messages), dead: gone(dead) }
  const limits = { goneBeforeMs, isCompacted, windowMs }
  checkUnique(tables, problems, limits)
  checkMessages(tables, problems, limits)
  const messagesTopic = tables.topics.indexOf(messages)
  const nowhere = accounts.number('', '')
  if (accounts.of(nowhere).isAudited)
    checkDead(tables, problems, limits, { unit: nowhere, messages: messagesTopic })
  checkDoubles(tables, problems, windowMs)
  const { foreign } = tables.db
    .prepare('select count(*) as "foreign" from unreadable where topic = ?')
    .get(messagesTopic) as { foreign: number }
  return { problems, uncompared, foreign }
}

/** A unit that the provider no longer has, or that could not be read to its end, is missing whole as far as one knows. */
function reportUnread(accounts: Accounts, problems: Problems): void {
  for (const [unit, { state, reason }] of accounts.audited()) {
    if (state !== 'lost' && state !== 'failed') continue
    const told = reason ?? 'it could not be read'
    const detail = state === 'failed' ? `not read: ${told}` : told
    const whole = { id: null, position: null, record: null, count: 1 }
    problems.add({ kind: 'missing', where: 'provider', unit, detail, ...whole })
  }
}
