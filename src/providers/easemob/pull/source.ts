import type { LedgerEntry } from '../../../model.ts'
import type {
  Finding,
  Publish,
  RawRecord,
  Reading,
  Source,
  SourceContext,
  Unit,
  UnreadPoll,
} from '../../provider.ts'
import { RowSet } from '../../row-set.ts'
import { orStopped } from '../../stopped.ts'
import { checkPull } from '../check.ts'
import { EasemobClient } from '../rest/client.ts'
import type { EasemobConfig } from '../config.ts'
import { failed } from '../rest/failure.ts'
import { hourMs, parseHour } from '../hours.ts'
import { pullRange } from './paging.ts'
import { pullPage } from './page.ts'
import { hoursOf, unitsOf } from '../units.ts'
import { unreadPoll } from '../unread.ts'

/**
 * Polls ask again from this long before the newest row met: rows of one moment do not all appear at once. What comes
 * later still is met when the hour is read whole, once it has settled and at every second look.
 */
const overlapMs = 60_000

/** What this process has published of an hour that is still open. */
interface OpenHour {
  rows: RowSet
  /** Everything sent before this is met, late rows apart. */
  metUntilMs: number
}

/** Reads one Easemob app by the retired pull interface, hour by hour and while the hour goes on. */
export class EasemobPullSource implements Source {
  readonly name: string
  readonly provider = 'easemob'
  readonly tenant: string
  readonly unread?: UnreadPoll
  readonly #config: EasemobConfig
  readonly #context: SourceContext
  readonly #client: EasemobClient
  readonly #open = new Map<string, OpenHour>()

  constructor(config: EasemobConfig, tenant: string, context: SourceContext) {
    this.name = config.name
    this.tenant = tenant
    this.#config = config
    this.#context = context
    this.#client = new EasemobClient(config, context)
    if (config.unread) this.unread = unreadPoll(config.unread, this.#client)
  }

  units(nowMs: number, known: ReadonlyMap<string, LedgerEntry>): Promise<Unit[]> {
    return Promise.resolve(unitsOf(this.#config, nowMs, known))
  }

  hours(fromMs: number, toMs: number): Promise<Unit[]> {
    return Promise.resolve(hoursOf(this.#config, fromMs, toMs))
  }

  /**
   * While the unit is open, rows that this process has published before are not published again, though they count in
   * the reading; a closed unit is read whole and every row of it published.
   */
  async read(unit: Unit, publish: Publish, signal: AbortSignal): Promise<Reading> {
    const startMs = parseHour(unit.name, this.#config.timeZone)
    if (startMs === null) return failed('the unit is no hour of this provider')
    const nowMs = this.#context.now()
    if (nowMs < startMs) return { state: 'not_yet', reason: 'the hour has not begun' }

    const endMs = startMs + hourMs
    const isOpen = nowMs < unit.closesAt
    const { rows, metUntilMs } = this.#take(unit.name, isOpen) ?? { rows: new RowSet(), metUntilMs: startMs }
    let newestMs = metUntilMs
    const accept = async (records: readonly RawRecord[]): Promise<void> => {
      for (const record of records) {
        newestMs = Math.max(newestMs, record.sentAt ?? startMs)
        if (rows.add(record) === null) continue
        const waiting = publish(record)
        if (waiting) await orStopped(waiting, signal)
      }
    }
    const range = { fromMs: Math.max(startMs, metUntilMs - overlapMs), endMs }
    const failure = await pullRange((query) => pullPage(this.#client, query, signal), range, accept)
    if (failure) return failure

    if (isOpen) {
      await publish.flush?.()
      // A row from a clock that is ahead must not hide those that come before it.
      this.#open.set(unit.name, { rows, metUntilMs: Math.min(newestMs, nowMs) })
    }
    const isKept = nowMs < endMs + this.#config.retention
    if (rows.size > 0) {
      const finding = isKept ? {} : { finding: 'the hour is older than retention: part of it may be gone' }
      return { state: 'published', ...rows.result(), ...finding }
    }
    return isKept
      ? { state: 'empty', reason: 'no messages in this hour' }
      : { state: 'lost', reason: 'no messages, and the provider need no longer have the hour' }
  }

  check(signal: AbortSignal): Promise<Finding[]> {
    return checkPull(this.#config, this.#client, this.#context, signal)
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  /**
   * What is known of an open hour, taken out until the reading has succeeded: after a failure nobody knows what of it
   * reached Kafka, so the next reading publishes all.
   */
  #take(unit: string, isOpen: boolean): OpenHour | undefined {
    const known = this.#open.get(unit)
    this.#open.delete(unit)
    return isOpen ? known : undefined
  }
}
