import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { currentProcess, identify, isRunning, isSame } from '../../../src/broker/process-identity.ts'

test('a process is known again for as long as it runs', async (t) => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  t.after(() => child.kill('SIGKILL'))
  await once(child, 'spawn')
  const identity = identify(child.pid ?? 0)
  assert.ok(identity)
  assert.equal(isRunning(identity), true)
  assert.equal(isSame(identity, currentProcess()), false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(isRunning(identity), false)
  assert.equal(identify(child.pid ?? 0), null)
})

test('another process with the same id is not taken for the one that had it before', () => {
  const me = currentProcess()
  assert.equal(isRunning(me), true)
  assert.equal(isRunning({ ...me, birth: `${me.birth}0` }), false)
})
