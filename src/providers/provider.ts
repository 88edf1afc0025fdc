import type { Readable } from 'node:stream'
import type { Hono } from 'hono'
import type { z } from 'zod'
import type { Finding } from '../finding.ts'
import type { Logger } from '../log.ts'
import type { LedgerEntry, MessageContent } from '../model.ts'

export type { Finding } from '../finding.ts'

/** What can be told of a record without understanding the message: enough to file it. */
export interface Identity {
  /** The provider's own message id; null when the record has none (it gets a positional id). */
  messageId: string | null
  /** 16 bytes over what the provider can change: the same on every route, whatever the key order. */
  fingerprint: Buffer
  /** Epoch milliseconds; null when the record does not tell. */
  sentAt: number | null
}

/** One record of a unit, on its way to Kafka. */
export interface RawRecord extends Identity {
  /** Stable within the unit: reading the unit again gives the same record the same position. */
  position: string | number
  payload: Buffer
}

/**
 * Gives one record to Kafka. Returns a promise when the reader must wait before the next (back-pressure),
 * undefined when it may go on at once. A rejection ends the reading: the unit will be read again.
 */
export interface Publish {
  (record: RawRecord): Promise<void> | undefined
  /** Resolves when every record given so far is acknowledged; without it there is nothing to wait for. */
  flush?(this: void): Promise<void>
}

/** One provider hour and when it is due. Times are epoch milliseconds. */
export interface Unit {
  /** As in `LedgerEntry.unit`. */
  name: string
  /** The first moment the provider can have something. */
  opensAt: number
  /** From here on an answer is final apart from late rows; before, the unit is polled every `pollEveryMs`. */
  closesAt: number
  /** Null where the provider answers only once the hour has closed. */
  pollEveryMs: number | null
  /** Second looks, counted from the first complete reading after `closesAt`. */
  lookAgainMs: readonly number[]
  /** After this the provider no longer has it; null where it never forgets. */
  deadline: number | null
}

/** What one reading of a unit came to. A value, because each is an ordinary answer of a provider. */
export type Reading =
  /** `finding`: what a person should look at although the unit was read whole, with the setting to change. */
  | { state: 'published'; lines: number; bytes: number; digest: string; finding?: string }
  | { state: 'empty'; reason: string }
  | { state: 'not_yet'; reason: string; retryAfterMs?: number }
  | { state: 'lost'; reason: string }
  | { state: 'failed'; reason: string; retryAfterMs?: number }

/** One configured account of a provider. The scheduler calls `read` for one unit at a time. */
export interface Source {
  readonly name: string
  readonly provider: string
  readonly tenant: string
  /**
   * Every unit from `since` on that the provider can have at `nowMs`, oldest first, and every older one that
   * `known` (the ledger) shows unfinished or that no one was there to read. May ask the provider.
   */
  units(nowMs: number, known: ReadonlyMap<string, LedgerEntry>, signal: AbortSignal): Promise<Unit[]>
  /**
   * Every unit whose hour starts in [`fromMs`, `toMs`), oldest first, whatever `since` says, also those that the
   * provider no longer has. For a backfill. May ask the provider.
   */
  hours(fromMs: number, toMs: number, signal: AbortSignal): Promise<Unit[]>
  /**
   * Reads one unit whole and publishes its records. Answers of the provider about this unit are returned;
   * what concerns the whole source is thrown as ChatfeedError: `transient` (throttled, unreachable: the
   * scheduler waits `retryAfterMs`) or `fatal` (wrong secret, app unknown: the source stops with the reason).
   * May be called again for the same unit at any time; must end soon after `signal` aborts.
   */
  read(unit: Unit, publish: Publish, signal: AbortSignal): Promise<Reading>
  /** Absent where no unread counts are configured, or the provider has none. */
  readonly unread?: UnreadPoll
  /**
   * What the account and its settings look like from here, for `chatfeed check`: clock, credentials and their
   * scope, host and app, zone, rate. Asks the provider a few harmless questions, changes nothing, throws nothing
   * but `stopped`.
   */
  check(signal: AbortSignal): Promise<Finding[]>
  close(): Promise<void>
}

/** Whose unread counts are asked for, and how. */
export interface UnreadPoll {
  users: readonly string[]
  everyMs: number
  /**
   * Asks for one user. An answer about this user is returned, also that there is none such; what concerns the
   * whole source is thrown, as by `Source.read`.
   */
  read(user: string, signal: AbortSignal): Promise<UnreadReading>
}

/** One answer about one user. */
export type UnreadReading =
  /** `count` is the sum over the provider's queues of this user. */
  | { count: number; queues: Record<string, number> }
  /** The provider does not tell, and why: no such user, an answer of another shape. */
  | { count: null; reason: string }

/** Asks for permission before each request; resolves in the order of asking. */
export interface RateBudget {
  /** Rejects with ChatfeedError `transient` and the time left while a pause lasts. */
  take(signal?: AbortSignal): Promise<void>
  /** Nobody gets permission for this long: the provider throttled or banned us. */
  pause(ms: number): void
}

/**
 * Where the files of a source's messages lie, and how they are asked for. Links come from strangers: only what is told
 * here, and what the operator allows, may be followed.
 */
export interface FileAccess {
  /** Hosts of the provider's files, exact or `*.suffix`; only at public addresses. */
  readonly hosts: readonly string[]
  /** Host name of the source's configured address; it may have a private address. */
  readonly ownHost: string
  /** Whether a link leads to a file at the source's configured address, and to nothing else of its interface. */
  isOwn(url: URL): boolean
  /** The calls for files that may be made, as `Provider.rateOf` has it; null where no limit is known. */
  readonly rate: { countedBy: string; calls: number; windowMs: number } | null
  /** Whether a link may be given a token at all: no other host, and no other part of the interface. */
  mayAuthorize(url: URL): boolean
  /**
   * The same file asked for with the app's own right: for a link that was refused. Null for a link that may not be
   * given a token. The headers are for this address alone.
   * Throws as `Source.read` does where no token can be had.
   */
  authorize(url: URL, signal: AbortSignal): Promise<AuthorizedFile | null>
  close(): Promise<void>
}

/** How a file is asked for with a token. */
export interface AuthorizedFile {
  url: URL
  headers: Record<string, string>
  /** The token was not accepted: the next one is another. */
  drop(): void
}

/** What a source is lent by the program. */
export interface SourceContext {
  log: Logger
  budget: RateBudget
  /** Counts one request for `chatfeed_provider_requests_total`; `outcome` is a stable word. */
  countRequest(outcome: string): void
  now(): number
}

/** A saved file's records, for `import`. */
export interface SavedFileReading {
  lines: number
  bytes: number
  digest: string
}

/** One simulated provider: strict about the provider's rules, with history made from a seed. */
export interface Sandbox {
  /** Answers HTTP requests as the provider would, below the root path. */
  app: Hono
  /** A `sources:` entry that reads this sandbox at `baseUrl`. */
  sourceConfig(baseUrl: string): Record<string, unknown>
  /** Distinct (message id, fingerprint) pairs handed out since the start, and rows with repeats. */
  served(): { rows: number; messages: number; revisions: number }
}

/** What every simulation takes; each knows further options of its own. */
export interface SandboxOptions {
  seed: number
  now(): number
  /** Messages an hour in the busiest hour; quieter hours scale with it. */
  messagesPerHour: number
  /** Overrides for tests: shorter waits, smaller pages. */
  [option: string]: unknown
}

/** One folder a provider: how to ask, what the bytes mean, how to simulate it. */
export interface Provider<Config = unknown> {
  readonly name: string
  /** The strict schema of a `sources:` entry with this `provider`. */
  readonly config: z.ZodType<Config>
  open(config: Config, context: SourceContext): Source
  tenantOf(config: Config): string
  /** When the hour of a unit of this source began, epoch ms; null for a unit of another form, such as an import. */
  startOf(config: Config, unit: string): number | null
  /**
   * The calls that may be made: `calls` in any `windowMs`. `countedBy` names what the provider counts by, an account
   * or the address of this machine: all sources with the same name share the limit and its bans.
   */
  rateOf(config: Config): { countedBy: string; calls: number; windowMs: number }
  /** How the files of its messages are asked for; opens no connection before the first token is needed. */
  files(config: Config, context: SourceContext): FileAccess
  /** Files one record; never throws: bytes that are no message get `messageId: null`. */
  identify(payload: Buffer): Identity
  /**
   * Understands a record; throws ChatfeedError `message` with a code when it cannot. `origin` is the record's
   * own: it can tell what the payload leaves out (the channel, the status that was asked for).
   */
  understand(payload: Buffer, tenant: string, origin?: string): MessageContent & { messageId: string }
  /** Reads a saved file (already inflated bytes or gz: it sniffs) and publishes its records. */
  readSaved(file: Readable, publish: Publish, signal: AbortSignal): Promise<SavedFileReading>
  sandbox(options: SandboxOptions): Sandbox
}
