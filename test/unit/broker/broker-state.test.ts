import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readState, writeState } from '../../../src/broker/broker-state.ts'

test('the state is read as it was written; absent or damaged it is null', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'chatfeed-state-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  assert.equal(readState(directory), null)
  const state = {
    broker: { pid: 7, birth: 'b' },
    port: 9092,
    kafkaVersion: '4.0.0',
    users: [{ pid: 8, birth: 'c' }],
  }
  writeState(directory, state)
  assert.deepEqual(readState(directory), state)
  for (const damaged of ['', '{"broker":', '{"broker":{"pid":"7"}}']) {
    writeFileSync(join(directory, 'broker.json'), damaged)
    assert.equal(readState(directory), null)
  }
})
