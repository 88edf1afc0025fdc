import { ChatfeedError, type Remedy } from '../../errors.ts'

type Verdict = readonly [remedy: Remedy, code: string, what: string, mend: string]

const away: Verdict = [
  'transient',
  'clickhouse_away',
  'cannot be reached',
  'Check that the server runs, and `url` of the sink: that of the HTTP interface, mostly port 8123, or 8443 with TLS.',
]
const login: Verdict = [
  'fatal',
  'clickhouse_login',
  'does not let this user in',
  'Check `username` and `password` of the sink.',
]
const forbidden: Verdict = [
  'transient',
  'clickhouse_forbidden',
  'does not allow what the sink needs',
  'Grant its user SELECT, INSERT, ALTER DELETE, TRUNCATE and CREATE TABLE on the database (and CREATE DATABASE, or make it).',
]
const busy: Verdict = [
  'transient',
  'clickhouse_busy',
  'has too much to do',
  'Nothing, unless it stays: then give the server more memory, or see why its merges are late (system.merges).',
]
const readOnly: Verdict = [
  'transient',
  'clickhouse_read_only',
  'may only be read',
  'Check the connection to Keeper, and `readonly` in the profile of the user.',
]
const full: Verdict = ['transient', 'clickhouse_disk_full', 'has no room', 'Free space on its disk.']
/** The tables were there when the sink was opened: it is opened anew, which makes them. */
const gone: Verdict = [
  'transient',
  'store_gone',
  'no longer has the tables of the sink',
  'They are made anew and filled from what Kafka still keeps.',
]
const altered: Verdict = [
  'fatal',
  'clickhouse_altered',
  'has a table that was altered',
  'Give the sink another `table`, or rename this one: it fills anew from what Kafka still keeps.',
]

/** By the number of the exception (ClickHouse, src/Common/ErrorCodes.cpp). One that is not listed is waited out. */
const verdicts = new Map<number, Verdict>([
  ...[192, 193, 194, 516].map((number) => [number, login] as const),
  ...[291, 497].map((number) => [number, forbidden] as const),
  ...[159, 202, 203, 241, 252, 319, 425, 439].map((number) => [number, busy] as const),
  ...[164, 225, 242, 999].map((number) => [number, readOnly] as const),
  [243, full],
  ...[60, 81, 218].map((number) => [number, gone] as const),
  ...[10, 16, 20, 26, 27, 36, 47, 53, 117, 349].map((number) => [number, altered] as const),
])

/** What a server answered that refused. */
export interface Refusal {
  status: number
  /** Of the header `x-clickhouse-exception-code`; null where it is no ClickHouse that answers. */
  exception: number | null
}

/** The ChatfeedError for a refusal. The server's own words can hold a part of a row: they are not told. */
export function refusalOf({ status, exception }: Refusal, place: string): ChatfeedError {
  const [remedy, code, what, mend] =
    (exception === null ? undefined : verdicts.get(exception)) ??
    (status === 401 || status === 403 ? login : status === 429 || status === 503 ? busy : ofNumber(exception))
  const reason = exception === null ? `HTTP status ${status}` : `exception ${exception}`
  return new ChatfeedError(remedy, code, `ClickHouse at ${place} ${what} (${reason}).`, { mend })
}

const ofNumber = (exception: number | null): Verdict =>
  exception === null
    ? away
    : ['transient', 'clickhouse_refused', 'refuses what it is asked', 'Look into the log of the server.']

const certificate = /CERT|SELF_SIGNED|ERR_TLS|ERR_SSL/

/** The ChatfeedError for a fault of the network on the way to the server; any other error comes back as it is. */
export function networkFailure(error: unknown, place: string): unknown {
  const { code } = error as { code?: unknown }
  if (!(error instanceof Error) || error instanceof ChatfeedError || typeof code !== 'string') return error
  const [remedy, stableCode, what, mend] = certificate.test(code)
    ? ([
        'fatal',
        'clickhouse_tls',
        'has a certificate that is not trusted',
        'Set NODE_EXTRA_CA_CERTS to its authority.',
      ] as const)
    : away
  return new ChatfeedError(remedy, stableCode, `ClickHouse at ${place} ${what} (${code}).`, { mend })
}
