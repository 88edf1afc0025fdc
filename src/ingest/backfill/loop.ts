import { ChatfeedError, explain, isTransient } from '../../errors.ts'
import type { LedgerEntry } from '../../model.ts'
import { backfilledEntry, isCovered } from '../../providers/coverage.ts'
import type { Publish, Reading, Source, Unit } from '../../providers/provider.ts'
import { entryAfter } from '../entry.ts'
import { backOffMs, leastBackOffMs, longestBackOffMs, rest } from '../retry.ts'
import { isGone, isRead } from './plan.ts'

/** What the loop needs of the world around one source. */
export interface BackfillLoopOptions {
  source: Pick<Source, 'name' | 'read'>
  signal: AbortSignal
  now: () => number
  /** The units that the running job would list, were it started when the backfill begins. */
  jobs: ReadonlySet<string>
  /** The newest entry of every unit of this source, as of the last `catchUp`. */
  entries: () => ReadonlyMap<string, LedgerEntry>
  /** Takes in what others have written into the ledger. */
  catchUp: () => Promise<void>
  /** Resolves when the entry is safe in the ledger. */
  record: (entry: LedgerEntry) => Promise<void>
  /** Lends a publisher to one reading; resolves with its answer once every record of it is acknowledged. */
  publishing: (unit: string, read: (publish: Publish) => Promise<Reading>) => Promise<Reading>
  onProgress: (progress: BackfillProgress) => void
}

/** How far a backfill is. */
export interface BackfillProgress {
  /** Hours done with, one way or the other. */
  done: number
  /** Records handed out so far, in hours under way as well. */
  records: number
  /** Why nothing is read now, and until when (epoch ms); null while an hour is read. */
  rest: { reason: string; untilMs: number } | null
}

/** What became of the hours that were due. */
export interface BackfillPass {
  read: number
  lines: number
  /** Read by others meanwhile. */
  skipped: number
  gone: Unit[]
  failed: { unit: string; reason: string }[]
  /** Not come to, because the backfill was stopped. */
  left: number
  /** The error that nothing helps against; null where the backfill came to its end or was stopped by its user. */
  stopped: string | null
}

/** An hour that fails so often, or whose provider wants a longer rest for it, is given up. */
const unitAttempts = 4
/** Faults of the source in a row after which another hour has its turn. */
const unitPatience = 3

interface Candidate {
  unit: Unit
  attempts: number
  notBefore: number
}

/**
 * Reads each of the hours `due` once, in their order; those that fail have another turn when the others are through.
 * Faults of the source are waited out, as long as the provider says. Books what was read whole, and nothing else. Throws
 * only what is a bug.
 */
export async function runBackfill(options: BackfillLoopOptions, due: readonly Unit[]): Promise<BackfillPass> {
  const { signal, now } = options
  const pass: BackfillPass = { read: 0, lines: 0, skipped: 0, gone: [], failed: [], left: 0, stopped: null }
  const candidates = new Set<Candidate>(due.map((unit) => ({ unit, attempts: 0, notBefore: 0 })))
  let faults = 0
  let records = 0
  let why = ''
  const show = (pause: BackfillProgress['rest'] = null) => {
    options.onProgress({ done: due.length - candidates.size, records, rest: pause })
  }
  const pause = async (waitMs: number, reason: string) => {
    show({ reason, untilMs: now() + waitMs })
    await rest(waitMs, signal)
  }
  const putOff = (candidate: Candidate, reason: string, retryAfterMs = 0) => {
    why = `${candidate.unit.name}: ${reason}`
    const waitMs = Math.max(retryAfterMs, backOffMs(++candidate.attempts))
    candidate.notBefore = now() + waitMs
    if (candidate.attempts < unitAttempts && waitMs <= longestBackOffMs) return
    pass.failed.push({ unit: candidate.unit.name, reason })
    candidates.delete(candidate)
  }

  while (candidates.size > 0 && !signal.aborted) {
    const next = nextOf(candidates)
    const waitMs = next.notBefore - now()
    if (waitMs > 0) {
      await pause(waitMs, why)
      continue
    }
    show()
    try {
      const outcome = await takeHour(options, next.unit, () => {
        records++
        show()
      })
      faults = 0
      if (outcome.state === 'failed' || outcome.state === 'not_yet') {
        putOff(next, outcome.reason, outcome.retryAfterMs)
        continue
      }
      candidates.delete(next)
      if (outcome.state === 'skipped') pass.skipped++
      else if (outcome.state === 'lost') pass.gone.push(next.unit)
      else {
        pass.read++
        pass.lines += outcome.state === 'published' ? outcome.lines : 0
      }
    } catch (error) {
      if (signal.aborted) break
      if (!(error instanceof ChatfeedError)) throw error
      if (!isTransient(error)) {
        pass.stopped = explain(error)
        break
      }
      // One hour that trips the provider up every time must not keep the others from being read.
      if (++faults % unitPatience === 0) putOff(next, error.message)
      await pause(Math.max(error.retryAfterMs ?? backOffMs(faults), leastBackOffMs(faults)), error.message)
    }
  }
  show()
  return { ...pass, left: candidates.size }
}

/** The first in line of those that may be read now; where there is none, the one that may be first. */
function nextOf(candidates: ReadonlySet<Candidate>): Candidate {
  let next: Candidate | undefined
  for (const candidate of candidates) if (!next || candidate.notBefore < next.notBefore) next = candidate
  return next!
}

/** Reads and books one hour, unless others have read it or the provider no longer has it. */
async function takeHour(
  options: BackfillLoopOptions,
  unit: Unit,
  onRecord: () => void,
): Promise<Reading | { state: 'skipped' }> {
  const { source, entries, signal, now } = options
  await options.catchUp()
  if (isRead(entries().get(unit.name))) return { state: 'skipped' }
  if (isGone(unit, now())) return { state: 'lost', reason: 'the provider no longer has it' }
  const startedAt = now()
  const reading = await options.publishing(unit.name, (publish) => {
    const counted: Publish = (record) => {
      onRecord()
      return publish(record)
    }
    return source.read(unit, Object.assign(counted, publish.flush && { flush: publish.flush }), signal)
  })
  if (reading.state === 'published' || reading.state === 'empty')
    await book(options, unit, reading, startedAt)
  return reading
}

/**
 * Books an hour that was read. One that is the running job's, or would be were it started, gets the entry that the job
 * would write, second looks included; any other is closed, and the job's list of hours does not reach back to it.
 */
async function book(
  { source, signal, jobs, entries, catchUp, record }: BackfillLoopOptions,
  unit: Unit,
  reading: Reading,
  startedAt: number,
): Promise<void> {
  await catchUp()
  signal.throwIfAborted() // It was cut short, and what others wrote must not be overwritten unseen.
  const known = entries()
  const entry = entryAfter(source.name, unit, known.get(unit.name), reading, startedAt)
  const isJobs = jobs.has(unit.name) || isCovered(unit.name, known)
  await record(isJobs ? entry : backfilledEntry(entry))
}
