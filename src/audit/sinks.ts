import { ChatfeedError, explain } from '../errors.ts'
import type { Selection } from '../sinks/index.ts'
import type { RevisionReader } from '../sinks/sink.ts'
import { sinkStage } from '../stages/names.ts'
import type { Accounts } from './accounts.ts'
import type { Choices, ChoiceSql } from './choices.ts'
import type { Problems } from './problems.ts'
import { type AuditProgress, refuseHalf } from './progress.ts'
import { checkStored } from './stored.ts'
import type { Tables } from './tables.ts'

/** A sink and its store. */
export interface AuditedSink {
  name: string
  groupId: string
  /** Resolves to null where the store cannot be asked from here; null where stores of its type never can. */
  open: (() => Promise<RevisionReader | null>) | null
  /** It gathers messages before it stores them, and is behind on purpose. */
  gathers: boolean
  /** Null where it stores every message. */
  selection: Selection | null
}

/** Whether a sink was asked for everything, and why not. */
export interface SinkReport {
  name: string
  audited: boolean
  /** False where stores of its type never can be asked: its group has passed every message, and more is not to be known. */
  askable: boolean
  /** Messages that the store would not take: they are in `dead`. */
  refused: number
  reason: string | null
}

/** What the sinks are asked for, and who hears how far it has come. */
export interface SinkOptions {
  sinks: readonly AuditedSink[]
  choices: Choices
  /** Records of `messages` that the group of a sink had not come to. */
  behind: (sink: string) => number
  /**
   * How many records of `messages` are newer than what was read: a store may hold so many messages more. Null where it
   * may hold any number, for not all of `messages` was read.
   */
  newer: (() => Promise<number>) | null
  onProgress: (progress: AuditProgress) => void
  signal: AbortSignal
}

/** Asks every sink in turn. One whose store cannot answer is not audited; that says nothing of the others. */
export async function checkSinks(
  tables: Tables,
  accounts: Accounts,
  problems: Problems,
  { sinks, choices, behind, newer, onProgress, signal }: SinkOptions,
): Promise<SinkReport[]> {
  const audited = [...accounts.audited()].map(([, account]) => account)
  const total = audited.reduce((sum, { messages }) => sum + messages, 0)
  const ask = async (
    name: string,
    open: () => Promise<RevisionReader | null>,
  ): Promise<Pick<SinkReport, 'refused' | 'reason'>> => {
    const reader = await open()
    // Where nothing is to be stored, a store may not be there yet.
    if (!reader)
      return { refused: 0, reason: total === 0 ? null : 'its store is on another machine, or gone' }
    const choice = choices.sqlOf(name)
    let done = 0
    const onIds = (count: number) => {
      onProgress({ step: `asking ${name}`, done: (done += count), total })
    }
    try {
      const refused = await checkStored(tables, accounts, problems, { name, reader, choice, onIds, signal })
      // In this order: what is newer was there, or came, before it was counted.
      const rows = await reader.rows()
      if (newer) reportSurplus(name, rows - idsOf(tables, choice) - (await newer()))
      return { refused, reason: null }
    } finally {
      await reader.close()
    }
  }
  const reportSurplus = (name: string, count: number): void => {
    if (count <= 0) return
    const detail = `sink ${name} holds so many messages that are not there: of another cluster or prefix, or foreign`
    const place = { kind: 'missing', where: 'messages', id: null, position: null, record: null } as const
    problems.add({ ...place, unit: accounts.number('', ''), count, detail })
  }
  const reportBehind = (name: string): void => {
    const count = behind(name)
    if (count === 0) return
    const detail = `sink ${name} is so many records behind: run chatfeed up`
    const place = { kind: 'missing', where: sinkStage(name), id: null, position: null, record: null } as const
    problems.add({ ...place, unit: accounts.number('', ''), count, detail })
  }
  const reports: SinkReport[] = []
  for (const { name, open, gathers } of sinks) {
    for (const { sinks: counts } of audited) counts[name] = open ? 0 : null
    if (!open) {
      const waiting = gathers ? behind(name) : 0
      if (!gathers) reportBehind(name)
      const reason =
        'its store cannot be asked' + (waiting > 0 ? `; it still gathers ${waiting} records` : '')
      reports.push({ name, audited: false, askable: false, refused: 0, reason })
      continue
    }
    const answer = await ask(name, open).catch((error: unknown) => ({ refused: 0, reason: told(error) }))
    refuseHalf(signal)
    reports.push({ name, audited: answer.reason === null, askable: true, ...answer })
    if (answer.reason !== null) for (const { sinks: counts } of audited) counts[name] = null
  }
  return reports
}

/** What a store says of its trouble. Throws what is none of the store's. */
function told(error: unknown): string {
  if (error instanceof ChatfeedError) return explain(error)
  throw error
}

function idsOf({ db }: Tables, choice: ChoiceSql | null): number {
  const which = choice ? ` where ${choice.takes}` : ''
  return (db.prepare(`select count(distinct id) as ids from messages${which}`).get() as { ids: number }).ids
}
