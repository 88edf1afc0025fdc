import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { lockDirectory } from '../../../src/broker/directory-lock.ts'

test('only one at a time holds a directory; the next is told that it waits', async (t) => {
  const directory = temporary(t)
  const events: string[] = []
  const unlock = await lockDirectory(directory, {})
  const waiting = new Promise<void>((resolve) => {
    void lockDirectory(directory, { onWait: resolve }).then((unlock) => {
      events.push('second')
      unlock()
      events.push('done')
    })
  })
  await waiting
  events.push('first')
  unlock()
  ;(await lockDirectory(directory, {}))()
  while (!events.includes('done')) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.deepEqual(events, ['first', 'second', 'done'])
})

test('waiting ends with the reason of the signal', async (t) => {
  const directory = temporary(t)
  const unlock = await lockDirectory(directory, {})
  t.after(unlock)
  const stop = new AbortController()
  const waiting = lockDirectory(directory, {
    signal: stop.signal,
    onWait: () => {
      stop.abort(new Error('enough'))
    },
  })
  await assert.rejects(waiting, /enough/)
})

test('the lock of a process that was killed holds nobody up', async (t) => {
  const directory = temporary(t)
  const source = new URL('../../../src/broker/directory-lock.ts', import.meta.url).href
  const script = `import { lockDirectory } from ${JSON.stringify(source)}
    await lockDirectory(${JSON.stringify(directory)}, {})
    console.log('locked')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  let waited = false
  const locked = lockDirectory(directory, {
    onWait: () => {
      waited = true
      child.kill('SIGKILL')
    },
  })
  ;(await locked)()
  assert.equal(waited, true)
})

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'chatfeed-lock-'))
  t.after(() => {
    rmSync(directory, { recursive: true })
  })
  return directory
}
