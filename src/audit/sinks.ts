import { ChatfeedError, explain } from '../errors.ts'
import type { RevisionReader } from '../sinks/sink.ts'
import type { Accounts } from './accounts.ts'
import type { Problems } from './problems.ts'
import { type AuditProgress, refuseHalf } from './progress.ts'
import { checkStored } from './stored.ts'
import type { Tables } from './tables.ts'

/** A sink and its store. */
export interface AuditedSink {
  name: string
  groupId: string
  /** Null where the store cannot be asked from here. */
  open: () => Promise<RevisionReader | null>
}

/** Whether a sink was asked for everything, and why not. */
export interface SinkReport {
  name: string
  audited: boolean
  reason: string | null
}

/** What the sinks are asked for, and who hears how far it has come. */
export interface SinkOptions {
  sinks: readonly AuditedSink[]
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
  { sinks, newer, onProgress, signal }: SinkOptions,
): Promise<SinkReport[]> {
  const audited = [...accounts.audited()].map(([, account]) => account)
  const total = audited.reduce((sum, { messages }) => sum + messages, 0)
  const ask = async ({ name, open }: AuditedSink): Promise<string | null> => {
    const reader = await open()
    // Where nothing is to be stored, a store may not be there yet.
    if (!reader) return total === 0 ? null : 'its store is on another machine, or gone'
    let done = 0
    const onIds = (count: number) => {
      onProgress({ step: `asking ${name}`, done: (done += count), total })
    }
    try {
      await checkStored(tables, accounts, problems, { name, reader, onIds, signal })
      // In this order: what is newer was there, or came, before it was counted.
      const rows = await reader.rows()
      if (newer) reportSurplus(name, rows - idsOf(tables) - (await newer()))
    } finally {
      await reader.close()
    }
    return null
  }
  const reportSurplus = (name: string, count: number): void => {
    if (count <= 0) return
    const detail = `sink ${name} holds so many messages that are not there: of another cluster or prefix, or foreign`
    const place = { kind: 'missing', where: 'messages', id: null, position: null, record: null } as const
    problems.add({ ...place, unit: accounts.number('', ''), count, detail })
  }
  const reports: SinkReport[] = []
  for (const sink of sinks) {
    for (const { sinks: counts } of audited) counts[sink.name] = 0
    const reason = await ask(sink).catch(told)
    refuseHalf(signal)
    reports.push({ name: sink.name, audited: reason === null, reason })
    if (reason !== null) for (const { sinks: counts } of audited) counts[sink.name] = null
  }
  return reports
}

/** What a store says of its trouble. Throws what is none of the store's. */
function told(error: unknown): string {
  if (error instanceof ChatfeedError) return explain(error)
  throw error
}

function idsOf({ db }: Tables): number {
  return (db.prepare('select count(distinct id) as ids from messages').get() as { ids: number }).ids
}
