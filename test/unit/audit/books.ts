import type { TestContext } from 'node:test'
import { Accounts } from '../../../src/audit/accounts.ts'
import type { AuditProgress } from '../../../src/audit/progress.ts'
import { findProblems } from '../../../src/audit/find-problems.ts'
import { notesOf } from '../../../src/audit/notes.ts'
import { type AuditReport, reportOf } from '../../../src/audit/report.ts'
import { Choices } from '../../../src/audit/choices.ts'
import { type AuditedSink, checkSinks } from '../../../src/audit/sinks.ts'
import type { Standing } from '../../../src/audit/stages.ts'
import { Tables } from '../../../src/audit/tables.ts'
import { parseOrigin } from '../../../src/audit/origin.ts'
import type { LedgerEntry } from '../../../src/model.ts'
import { topicNames } from '../../../src/topics.ts'
import { ledgerEntry } from '../samples.ts'

export const now = 1_795_600_000_000
const dayMs = 86_400_000
export const windowMs = 30 * dayMs
/** A moment so many days before now. */
export const daysAgo = (days: number): number => now - days * dayMs

/** A record of a topic, as far as an audit looks; every field has a default. */
export interface Written {
  id?: string
  /** One letter or word that stands for a fingerprint. */
  content?: string
  revision?: number
  origin?: string
  source?: string
  fetchedAt?: number
  /** When the record was written. */
  ts?: number
  partition?: number
  offset?: number
  /** What sinks do with it (`Choices.of`). */
  chosen?: number
}

/** How a made-up audit differs from one where nothing is gone. */
export interface Circumstances {
  goneBeforeMs?: { raw?: number; unique?: number; messages?: number; dead?: number }
  isCompacted?: boolean
  isAudited?: (source: string, unit: string) => boolean
  standings?: Standing[]
  sinks?: AuditedSink[]
  newer?: (() => Promise<number>) | null
  onProgress?: (progress: AuditProgress) => void
  signal?: AbortSignal
}

/** Topics and a ledger made up record by record; `audit` compares them, once. */
export class Books {
  readonly #tables = new Tables(['raw.easemob', 'unique', 'messages', 'dead'])
  readonly #records: (() => void)[] = []
  readonly #entries: LedgerEntry[] = []
  readonly #offsets = new Map<string, number>()
  #accounts: Accounts | undefined

  constructor(t: TestContext) {
    t.after(() => {
      this.#tables.close()
    })
  }

  ledger(entry: Partial<LedgerEntry>): this {
    this.#entries.push({
      ...ledgerEntry,
      unit: '2026112310',
      reason: null,
      publishedAt: now,
      lastTriedAt: null,
      nextLookAt: null,
      ...entry,
    })
    return this
  }

  raw(...records: Written[]): this {
    return this.#each(records, 0, (place, written) => {
      this.#tables.addRaw(place, { ...this.#envelope(written), fingerprint: print(written.content) })
    })
  }

  unique(...records: Written[]): this {
    return this.#each(records, 1, (place, written) => {
      const told = this.#envelope(written)
      this.#account(told.unit).unique++
      const { content, revision = 1 } = written
      this.#tables.addAccepted(place, { ...told, fingerprint: print(content), revision })
    })
  }

  messages(...records: Written[]): this {
    return this.#each(records, 2, (place, written) => {
      const told = this.#envelope(written)
      this.#account(told.unit).messages++
      const { revision = 1, chosen = 0 } = written
      this.#tables.addMessage(place, { ...told, revision }, chosen)
    })
  }

  /** A dead letter that stands for a record. */
  letter(
    topic: 'raw' | 'unique' | 'messages',
    { id = 'easemob:a:1', partition = 0, offset = 0, ts = now }: Written,
    stage = topic === 'raw' ? 'dedup' : 'enrich',
  ): this {
    const place = {
      topic: ['raw', 'unique', 'messages'].indexOf(topic),
      partition,
      record: { offset, timestampMs: ts },
    }
    this.#records.push(() => {
      this.#tables.addLetter(place, id, stage)
    })
    return this
  }

  /** A record of `raw` or `unique` that is no raw message. */
  unreadable(topic: 'raw' | 'unique' | 'messages', written: Written = {}): this {
    const number = ['raw', 'unique', 'messages'].indexOf(topic)
    return this.#each([written], number, (place) => {
      this.#tables.addUnreadable(place)
    })
  }

  /** What all raw records hold, carried through every topic as it should be, each content once. */
  async audit(circumstances: Circumstances = {}): Promise<AuditReport> {
    const { goneBeforeMs: gone = {}, isCompacted = false, isAudited = () => true } = circumstances
    const { standings = [], sinks: asked = [], onProgress = () => undefined, newer = null } = circumstances
    const { signal = new AbortController().signal } = circumstances
    const units = new Map<string, Map<string, LedgerEntry>>()
    for (const entry of this.#entries) {
      const ofSource = units.get(entry.source) ?? new Map<string, LedgerEntry>()
      units.set(entry.source, ofSource.set(entry.unit, entry))
    }
    const accounts = (this.#accounts = new Accounts(units, isAudited))
    const tables = this.#tables
    for (const record of this.#records) record()
    tables.sort()
    const found = findProblems({
      tables,
      accounts,
      topics: topicNames(''),
      rawTopics: ['raw.easemob'],
      rawTopicOf: () => 'raw.easemob',
      goneBeforeMs: new Map([
        ['raw.easemob', gone.raw ?? 0],
        ['unique', gone.unique ?? 0],
        ['messages', gone.messages ?? 0],
        ['dead', gone.dead ?? 0],
      ]),
      isCompacted,
      windowMs,
    })
    const { problems } = found
    const notes = notesOf(accounts, found, now)
    const sinks = await checkSinks(tables, accounts, problems, {
      sinks: asked,
      choices: new Choices(asked),
      behind: (sink) => standings.find(({ stage }) => stage === `sink:${sink}`)?.behind ?? 0,
      newer,
      onProgress,
      signal,
    })
    return reportOf({ accounts, problems, topics: tables.topics, standings, sinks, notes })
  }

  #each(
    records: readonly Written[],
    topic: number,
    add: (place: Parameters<Tables['addRaw']>[0], written: Written) => void,
  ): this {
    for (const written of records) {
      const { partition = 0, ts = now } = written
      const lane = `${topic} ${partition}`
      const offset = written.offset ?? this.#offsets.get(lane) ?? 0
      this.#offsets.set(lane, offset + 1)
      this.#records.push(() => {
        add({ topic, partition, record: { offset, timestampMs: ts } }, written)
      })
    }
    return this
  }

  #envelope({ id = 'easemob:a:1', origin = '2026112310#1', source = 'support', fetchedAt = now }: Written) {
    const { unit, position } = parseOrigin(origin)
    return { id, fetchedAt, unit: this.#accounts!.number(source, unit), position }
  }

  #account(unit: number) {
    return this.#accounts!.of(unit)
  }
}

function print(content = 'x'): Buffer {
  return Buffer.from(content.padEnd(16, '.'))
}

/** `kind where id source unit position` of every problem, for a look at once. */
export function told({ problems }: AuditReport): string[] {
  return problems.map(
    ({ kind, where, id, unit, position, count }) =>
      `${kind} ${where} ${[id, unit, position].map((part) => part ?? '-').join(' ')}${count > 1 ? ` ×${count}` : ''}`,
  )
}
