import assert from 'node:assert/strict'
import { test } from 'node:test'
import pg from 'pg'
import { ChatfeedError, explain, type Remedy } from '../../../../src/errors.ts'
import { placeOf, postgresFailure } from '../../../../src/sinks/postgres/failure.ts'

const url = 'postgres://feed:s3cret%21@db.example:5433/chat?sslmode=require'

function stateError(code: string, message = 'the words of the server'): Error {
  const error = new pg.DatabaseError(message, message.length, 'error')
  return Object.assign(error, { code, severity: 'ERROR', detail: 'Failing row contains (private words)' })
}

test('every answer of the server has a verdict', () => {
  const table: [states: string, remedy: Remedy, code: string][] = [
    ['08000 08006 57P01 57P02 57P03 57P05', 'transient', 'postgres_away'],
    ['53100', 'transient', 'postgres_disk_full'],
    ['53200 53300', 'transient', 'postgres_overloaded'],
    ['25006', 'transient', 'postgres_read_only'],
    ['40001 40P01 55P03', 'transient', 'postgres_conflict'],
    ['57014', 'transient', 'postgres_slow'],
    ['3D000', 'transient', 'postgres_no_database'],
    ['42501', 'transient', 'postgres_forbidden'],
    ['42P01 3F000', 'transient', 'store_gone'],
    ['23502 23514 P0001', 'transient', 'postgres_constraint'],
    ['28P01 28000', 'fatal', 'postgres_login'],
    ['42703 42804 42P10', 'fatal', 'postgres_altered'],
    ['XX001', 'fatal', 'postgres_damaged'],
    ['22003 22P02 22P05 54000 54001', 'message', 'postgres_row'],
  ]
  for (const [states, remedy, code] of table) {
    for (const state of states.split(' ')) {
      const failure = postgresFailure(stateError(state), { url })
      assert.ok(failure instanceof ChatfeedError, state)
      assert.deepEqual([failure.remedy, failure.code], [remedy, code], state)
      assert.ok(failure.mend, state)
    }
  }
})

test('so has every error of the driver and of the network', () => {
  const network = (code: string) => Object.assign(new Error(`connect ${code} 192.0.2.1:5432`), { code })
  const table: [error: Error, remedy: Remedy, code: string][] = [
    [network('ECONNREFUSED'), 'transient', 'postgres_away'],
    [network('EHOSTUNREACH'), 'transient', 'postgres_away'],
    [Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }), 'transient', 'postgres_away'],
    [
      Object.assign(new Error('getaddrinfo ENOTFOUND db'), { code: 'ENOTFOUND' }),
      'transient',
      'postgres_away',
    ],
    [new Error('Connection terminated unexpectedly'), 'transient', 'postgres_away'],
    [new Error('Connection terminated due to connection timeout'), 'transient', 'postgres_away'],
    [new Error('timeout expired'), 'transient', 'postgres_away'],
    [new Error('timeout exceeded when trying to connect'), 'transient', 'postgres_overloaded'],
    [new Error('Query read timeout'), 'transient', 'postgres_slow'],
    [new Error('The server does not support SSL connections'), 'fatal', 'postgres_tls'],
    [
      Object.assign(
        new Error('Client network socket disconnected before secure TLS connection was established'),
        {
          code: 'ECONNRESET',
        },
      ),
      'transient',
      'postgres_away',
    ],
    [new Error('There was an error establishing an SSL connection'), 'transient', 'postgres_away'],
    [new Error('Cannot use a pool after calling end on the pool'), 'transient', 'postgres_away'],
    [
      Object.assign(new Error('cache lookup failed'), { code: 'XX000', severity: 'ERROR' }),
      'transient',
      'postgres_fault',
    ],
    [
      Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }),
      'fatal',
      'postgres_tls',
    ],
    [
      new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
      'fatal',
      'postgres_login',
    ],
  ]
  for (const [error, remedy, code] of table) {
    const failure = postgresFailure(error, { url })
    assert.ok(failure instanceof ChatfeedError, error.message)
    assert.deepEqual([failure.remedy, failure.code], [remedy, code], error.message)
  }
})

test('a bug stays one', () => {
  for (const bug of [new TypeError('undefined is not a function'), stateError('42601'), 'thrown text'])
    assert.equal(postgresFailure(bug, { url }), bug)
  const own = new ChatfeedError('fatal', 'postgres_newer', 'newer')
  assert.equal(postgresFailure(own, { url }), own)
})

test('no password and no part of a row is told', () => {
  assert.equal(placeOf(url), 'db.example:5433/chat')
  for (const error of [
    stateError('22P02', 'invalid input: "private words"'),
    stateError('28P01', 'no entry'),
  ]) {
    const failure = postgresFailure(error, { url })
    assert.ok(failure instanceof ChatfeedError)
    assert.equal(failure.cause, undefined)
    assert.doesNotMatch(explain(failure), /s3cret|private|feed:/)
  }
  assert.match(
    explain(postgresFailure(stateError('42501', 'permission denied for schema x'), { url })),
    /denied for schema x/,
  )
})
