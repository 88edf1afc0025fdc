import { explain, isTransient } from '../errors.ts'
import type { Logger } from '../log.ts'
import type { LedgerEntry } from '../model.ts'
import { channelOf, isBackfilled } from '../providers/coverage.ts'
import type { Publish, Reading, Source, Unit } from '../providers/provider.ts'
import { stopped } from '../providers/stopped.ts'
import { entryAfter, newEntry } from './entry.ts'
import { showExpiry } from './expiry.ts'
import { backOffMs, leastBackOffMs, rest } from './retry.ts'
import { countUnits, dueUnits, nextDueAt, nextUnit, type UnitCounts } from './schedule.ts'

/** What the loop needs of the world around one source. */
export interface SourceLoopOptions {
  source: Source
  log: Logger
  signal: AbortSignal
  now: () => number
  /** The newest entry of every unit of this source. */
  entries: () => ReadonlyMap<string, LedgerEntry>
  /** Takes in what others have written into the ledger. */
  catchUp?: () => Promise<void>
  /** The same, with nothing left unseen that was written before the call; false when `signal` aborted first. */
  catchUpNow?: () => Promise<boolean>
  /** Resolves when the entry is safe in the ledger. Throws `ledger_lost` when this process no longer owns it. */
  record: (entry: LedgerEntry) => Promise<void>
  /** Keeps an entry in memory only: nothing worth writing has changed. */
  remember: (entry: LedgerEntry) => void
  /** Lends a publisher to one reading; resolves with its answer once every record of it is acknowledged. */
  publishing: (unit: string, read: (publish: Publish) => Promise<Reading>) => Promise<Reading>
  onStatus: (status: SourceStatus) => void
  /** Called before each step; `restMs`: that long a rest begins. */
  alive?: (restMs?: number) => void
}

/** What the terminal shows of a source. */
export interface SourceStatus {
  state: 'reading' | 'waiting' | 'stopped'
  /** The unit being read, or the reason of the wait or of the stop. */
  detail: string
  nextAt: number | null
  units: UnitCounts
}

/** What one pass over the due units came to; in a live run, which has no end, nothing is summed up. */
export interface PassSummary {
  units: number
  lines: number
  /** `unit: reason` of what the provider no longer has, and of what could not be read. */
  lost: string[]
  failed: string[]
}

/** Of a pass that has not begun. */
export const newPass = (): PassSummary => ({ units: 0, lines: 0, lost: [], failed: [] })

const idleMs = 1_000
const onceAttempts = 4
/** A provider that wants a longer rest than this fails a `once` run. */
const onceRestMs = 60_000
/** Faults of the source in a row after which the unit being read is put off. */
const unitPatience = 3
/** Units in a row that came to nothing, after which a `once` run takes the source for broken. */
const onceUnits = 3

/**
 * Reads the due units of one source: for ever, or with `once` each unit that is due now. Ends early when `signal`
 * aborts. Throws what concerns the whole source: `fatal`, a lost ledger, or in a `once` run a transient fault
 * that outlived its retries; `summary` then tells what was read before.
 */
export async function runSource(
  options: SourceLoopOptions,
  once: boolean,
  summary: PassSummary = newPass(),
): Promise<PassSummary> {
  const { source, log, signal, now, onStatus, alive = () => {}, catchUp = async () => {} } = options
  const tried = new Set<string>()
  let faults = 0
  let turn = 0
  let reading: Unit | undefined
  let units: Unit[] = []
  const show = (state: SourceStatus['state'], detail: string, nextAt: number | null) => {
    onStatus({ state, detail, nextAt, units: countUnits(units, options.entries(), now()) })
  }
  // Before the first list, which a provider that is away may keep from us for long.
  const known = [...options.entries().values()].map(({ unit, deadline }) => ({ name: unit, deadline }))
  showExpiry(source.name, known, options.entries(), signal)
  while (!signal.aborted) {
    try {
      alive()
      reading = undefined
      await catchUp()
      units = await source.units(now(), options.entries(), signal)
      showExpiry(source.name, units, options.entries(), signal)
      await nailDown(options, units)
      const due = dueUnits(units, options.entries(), now(), tried)
      const next = nextUnit(once ? due.filter(({ unit }) => !tried.has(unit.name)) : due, turn++)
      reading = next?.unit
      if (next) {
        show('reading', next.unit.name, null)
        const entry = await readUnit(options, next.unit, once)
        tried.add(next.unit.name)
        if (once) count(summary, entry)
        faults = 0
        continue
      }
      if (once) break
      const nextAt = nextDueAt(units, options.entries())
      show('waiting', '', nextAt)
      await rest(Math.max(50, Math.min(idleMs, (nextAt ?? Infinity) - now())), signal)
    } catch (error) {
      if (signal.aborted) break
      faults++
      const isHopeless = once && faults >= (reading ? onceUnits * unitPatience : onceAttempts)
      if (!isTransient(error) || error.code === 'ledger_lost' || isHopeless) {
        show('stopped', explain(error), null)
        throw error
      }
      // One unit that trips the provider up every time must not keep the others from being read.
      const isPutOff = reading !== undefined && faults % unitPatience === 0
      if (reading && isPutOff) {
        tried.add(reading.name)
        const booked = await book(options, reading, { state: 'failed', reason: error.message }, now())
        if (!booked) break
        if (once) count(summary, booked.entry)
      }
      // A once run tries the next unit as it did the first; a live one asks ever more calmly until something works.
      const attempt = once ? ((faults - 1) % unitPatience) + 1 : faults
      const ownWaitMs = isPutOff ? 0 : backOffMs(attempt)
      const waitMs = Math.max(error.retryAfterMs ?? ownWaitMs, leastBackOffMs(attempt))
      if (once && waitMs > onceRestMs) throw error
      log.warn({ source: source.name, code: error.code, waitMs }, error.message)
      show('waiting', error.message, now() + waitMs)
      alive(waitMs)
      await rest(waitMs, signal)
    }
  }
  return summary
}

/**
 * Puts the oldest unit of each channel into the ledger before the first reading: units are read newest first, and
 * after a crash in the middle the list of units begins at the first gap behind the oldest that the job knows.
 */
async function nailDown(options: SourceLoopOptions, units: readonly Unit[]): Promise<void> {
  const met = new Set<string>()
  for (const unit of units) {
    const channel = channelOf(unit.name)
    if (met.has(channel)) continue
    // The list may have been long in coming.
    if (!options.entries().has(unit.name) && (await options.catchUpNow?.()) === false) return
    const entry = options.entries().get(unit.name)
    if (entry && isBackfilled(entry)) continue
    met.add(channel)
    if (!entry) await options.record(newEntry(options.source.name, unit))
  }
}

/** Reads one unit and brings the ledger up to date; in a `once` run a failed reading is tried again at once. */
async function readUnit(options: SourceLoopOptions, unit: Unit, once: boolean): Promise<LedgerEntry> {
  for (let attempt = 1; ; attempt++) {
    const { entry, retryAfterMs } = await readOnce(options, unit)
    const waitMs = Math.max(retryAfterMs, backOffMs(attempt))
    const isLast = attempt >= onceAttempts || waitMs > onceRestMs || options.signal.aborted
    if (entry.state !== 'failed' || !once || isLast) return entry
    await rest(waitMs, options.signal)
  }
}

/** `retryAfterMs`: the provider's own waiting time for this unit, 0 where it named none. */
async function readOnce(
  options: SourceLoopOptions,
  unit: Unit,
): Promise<{ entry: LedgerEntry; retryAfterMs: number }> {
  const { source, log, signal, now } = options
  const startedAt = now()
  let reading: Reading
  try {
    reading = await options.publishing(unit.name, (publish) => source.read(unit, publish, signal))
  } catch (error) {
    // A stopped source shows its reason in the ledger, where `status` finds it.
    if (!isTransient(error) && !signal.aborted)
      await book(options, unit, { state: 'failed', reason: explain(error) }, startedAt)
    throw error
  }
  const booked = await book(options, unit, reading, startedAt)
  if (!booked) throw stopped(signal.reason)
  const { entry, isQuiet } = booked
  const { state, lines, reason } = entry
  log[!isQuiet && (state === 'lost' || state === 'failed') ? 'warn' : 'debug'](
    { source: source.name, unit: unit.name, state, lines, reason },
    'unit read',
  )
  return { entry, retryAfterMs: ('retryAfterMs' in reading && reading.retryAfterMs) || 0 }
}

/**
 * Books what a reading came to, on top of what others have booked for the unit while it lasted. Null when the source
 * was stopped before that was known: then nothing is booked.
 */
async function book(
  options: SourceLoopOptions,
  unit: Unit,
  reading: Reading,
  startedAt: number,
): Promise<{ entry: LedgerEntry; isQuiet: boolean } | null> {
  if ((await options.catchUpNow?.()) === false) return null
  const previous = options.entries().get(unit.name)
  const entry = entryAfter(options.source.name, unit, previous, reading, startedAt)
  const isQuiet = previous !== undefined && isQuietPoll(unit, previous, entry)
  if (isQuiet) options.remember(entry)
  else await options.record(entry)
  return { entry, isQuiet }
}

/** A poll of an open hour that met nothing new, or the same refusal, is worth neither a ledger record nor a warning. */
function isQuietPoll(unit: Unit, previous: LedgerEntry, entry: LedgerEntry): boolean {
  if (unit.pollEveryMs === null || entry.state !== previous.state) return false
  if (entry.state === 'pending') return entry.digest === previous.digest
  return (
    entry.state === 'failed' && (entry.nextLookAt ?? 0) <= unit.closesAt && entry.reason === previous.reason
  )
}

function count(summary: PassSummary, entry: LedgerEntry): void {
  summary.units++
  summary.lines += entry.lines
  const told = `${entry.unit}: ${entry.reason ?? ''}`
  if (entry.state === 'lost') summary.lost.push(told)
  if (entry.state === 'failed') summary.failed.push(told)
}
