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
  onProgress: (progress: AuditProgress) => void
  signal: AbortSignal
}

/** Asks every sink in turn. One whose store cannot answer is not audited; that says nothing of the others. */
export async function checkSinks(
  tables: Tables,
  accounts: Accounts,
  problems: Problems,
  { sinks, onProgress, signal }: SinkOptions,
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
    } finally {
      await reader.close()
    }
    return null
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
