import { ChatfeedError, type Remedy } from '../../errors.ts'
import type { PostgresConfig } from './config.ts'

type Verdict = readonly [remedy: Remedy, code: string, what: string, mend: string]

const away: Verdict = [
  'transient',
  'postgres_away',
  'cannot be reached',
  'Check that the server runs, and the host and port in `url` of the sink.',
]
const refused: Verdict = [
  'fatal',
  'postgres_login',
  'does not let this user in',
  'Check user and password in `url` of the sink (percent-encoded), and pg_hba.conf of the server; one that wants TLS needs `?sslmode=require`.',
]
const tls: Verdict = [
  'fatal',
  'postgres_tls',
  'does not speak TLS as `sslmode` in `url` of the sink asks for it',
  'Leave `sslmode` out where the server has no TLS; give `sslrootcert=FILE` where its certificate is not from a public authority.',
]
const row: Verdict = [
  'message',
  'postgres_row',
  'does not take this message',
  'Look at its `data` and its id.',
]
const altered: Verdict = [
  'fatal',
  'postgres_altered',
  'has a table `messages` that was altered',
  'Give the sink another `schema`, or rename the table: it fills anew from what Kafka still keeps.',
]
const broken: Verdict = ['fatal', 'postgres_damaged', 'is damaged', 'Look into the log of the server.']
const conflict: Verdict = [
  'transient',
  'postgres_conflict',
  'gave way to another transaction',
  'Nothing, unless it goes on: then see who else locks the tables.',
]
const slow: Verdict = [
  'transient',
  'postgres_slow',
  'did not answer in time',
  'See what the server waits for (pg_stat_activity, pg_locks).',
]
const full: Verdict = ['transient', 'postgres_disk_full', 'has no room', 'Free space on its disk.']
const overloaded: Verdict = [
  'transient',
  'postgres_overloaded',
  'has no connection or memory left',
  'Raise max_connections, or run fewer processes.',
]
/** The tables were there when the sink was opened: it is opened anew, which makes them. */
const gone: Verdict = [
  'transient',
  'store_gone',
  'no longer has the tables of the sink',
  'They are made anew and filled from what Kafka still keeps.',
]
const readOnly: Verdict = [
  'transient',
  'postgres_read_only',
  'may only be read',
  'Point `url` of the sink at the primary server.',
]
const forbidden: Verdict = [
  'transient',
  'postgres_forbidden',
  'does not allow what the sink needs',
  'Grant its user CREATE and TEMPORARY on the database (or make the schema and grant all on it and its tables).',
]
const noDatabase: Verdict = [
  'transient',
  'postgres_no_database',
  'does not have this database',
  'Make it: create database NAME encoding UTF8.',
]
/** Not the row's fault: no row may be given up because somebody changed the table. */
const constraint: Verdict = [
  'transient',
  'postgres_constraint',
  'refuses a message by a constraint or trigger that was added to the table',
  'Drop it: the messages wait until then.',
]

/** A fault of the server that nobody has met yet must not end the whole process. */
const unlisted: Verdict = [
  'transient',
  'postgres_fault',
  'reports a fault of its own',
  'The log of the server says more; the messages wait until it is mended.',
]

/** By SQLSTATE, or by its class of two characters (PostgreSQL documentation, Appendix A). */
const verdicts = new Map<string, Verdict>([
  ['08', away],
  ['22', row],
  ['54', row],
  ['23', constraint],
  ['P0', constraint],
  ['25006', readOnly],
  ['28', refused],
  ['3D', noDatabase],
  ['3F', gone],
  ['40', conflict],
  ['42P01', gone],
  ['42501', forbidden],
  ['42703', altered],
  ['42804', altered],
  ['42P10', altered],
  ['53', overloaded],
  ['53100', full],
  ['55P03', conflict],
  ['57', away],
  ['57014', slow],
  ['58', full],
  ['58030', ['transient', 'postgres_io', 'cannot read or write its disk', 'Check the disk of the server.']],
  ['XX001', broken],
  ['XX002', broken],
])

/** The driver's own errors, and Node's about the network, have words or codes of their own. */
const driverVerdicts: readonly (readonly [RegExp, Verdict])[] = [
  [/^Query read timeout/, slow],
  [/^timeout exceeded when trying to connect/, overloaded],
  // A server that restarts in the middle of a handshake is away; one that has no TLS, or a wrong certificate, is wrong.
  [/ECONNRESET|before secure TLS connection|error establishing an SSL|pool after calling end/, away],
  [/SSL|certificate|sslmode|CERT_|TLS/, tls],
  [/[Pp]assword|SASL|SCRAM/, refused],
  [/onnection|timeout expired|^E[A-Z]+ |E(CONN|HOST|NET|AI_|NOTFOUND|PIPE|TIMEDOUT)/, away],
]

/** Errors of these classes can show a part of a row. */
const mayShowRows = /^(2[123]|54|P0)/

/**
 * The ChatfeedError for an error of the driver about the database of a sink; any other error comes back as it is. It has
 * no cause: what the server tells in detail can hold message texts.
 */
export function postgresFailure(error: unknown, { url }: Pick<PostgresConfig, 'url'>): unknown {
  if (!(error instanceof Error) || error instanceof ChatfeedError) return error
  const { code } = error as { code?: unknown }
  const state = typeof code === 'string' && /^[\dA-Z]{5}$/.test(code) && 'severity' in error ? code : null
  const verdict = state === null ? ofDriver(error) : ofServer(state)
  if (!verdict) return error
  const [remedy, stableCode, what, mend] = verdict
  const said = state === null ? error.message || String(code) : mayShowRows.test(state) ? '' : error.message
  const reason = [state && `SQLSTATE ${state}`, said].filter(Boolean).join(': ')
  return new ChatfeedError(remedy, stableCode, `PostgreSQL at ${placeOf(url)} ${what} (${reason}).`, { mend })
}

/** A statement that is wrong (class 42) is a bug of ours. */
function ofServer(state: string): Verdict | undefined {
  const known = verdicts.get(state) ?? verdicts.get(state.slice(0, 2))
  return known ?? (state.startsWith('42') ? undefined : unlisted)
}

function ofDriver(error: Error): Verdict | undefined {
  const { code } = error as { code?: unknown }
  const words = `${error.message} ${String(code)}` // the message of an AggregateError is empty
  return driverVerdicts.find(([pattern]) => pattern.test(words))?.[1]
}

/** Where a database is, without user and password. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url)
  return `${host || 'localhost'}${pathname}`
}
