import { ChatfeedError, type Remedy } from '../../errors.ts'

type Verdict = readonly [remedy: Remedy, code: string, what: string, mend: string]

const allow = 'Let chatfeed write the file and its folder.'
const readOnly: Verdict = ['transient', 'sqlite_read_only', 'may not be written', allow]
const locked: Verdict = [
  'transient',
  'sqlite_locked',
  'is locked by another program',
  'Let that program finish its transaction.',
]
const cannotOpen: Verdict = [
  'transient',
  'sqlite_cannot_open',
  'cannot be opened',
  `Check that its folder is there. ${allow}`,
]
const corrupt: Verdict = [
  'fatal',
  'sqlite_corrupt',
  'is damaged',
  'Stop chatfeed, move the file away and start again: the sink fills anew from what Kafka still keeps.',
]
const noDatabase: Verdict = [
  'fatal',
  'sqlite_not_a_database',
  'is not a SQLite database',
  'Move the file away, or point `path` of the sink at another one.',
]

/** By SQLite's primary result code. One that is not listed is a bug of ours. */
const verdicts = new Map<number, Verdict>([
  [3, readOnly], // SQLITE_PERM
  [5, locked], // SQLITE_BUSY
  [6, locked], // SQLITE_LOCKED
  [8, readOnly], // SQLITE_READONLY
  [10, ['transient', 'sqlite_io', 'cannot be read or written', 'Check the disk it lies on.']], // SQLITE_IOERR
  [11, corrupt], // SQLITE_CORRUPT
  [13, ['transient', 'sqlite_disk_full', 'has no room to grow', 'Free space on its disk.']], // SQLITE_FULL
  [14, cannotOpen], // SQLITE_CANTOPEN
  [26, noDatabase], // SQLITE_NOTADB
])

/**
 * The ChatfeedError for a fault of the driver or the file system about the database at `path`; any other error
 * comes back as it is.
 */
export function sqliteFailure(error: unknown, path: string): unknown {
  const verdict = verdictOn(error as { errcode?: unknown; syscall?: unknown })
  if (!verdict) return error
  const [remedy, code, what, mend] = verdict
  return new ChatfeedError(remedy, code, `The database ${path} ${what}.`, { cause: error, mend })
}

function verdictOn({ errcode, syscall }: { errcode?: unknown; syscall?: unknown }): Verdict | undefined {
  if (typeof errcode === 'number') return verdicts.get(errcode & 0xff) // the low byte of the extended code
  return typeof syscall === 'string' ? cannotOpen : undefined
}

/** Runs `work` on the database at `path`; tells its failures in chatfeed's terms. */
export function attempt<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw sqliteFailure(error, path)
  }
}

/** The same for a face of promises, which never throws. */
export function attempted<T>(path: string, work: () => T): Promise<T> {
  return Promise.resolve().then(() => attempt(path, work))
}
