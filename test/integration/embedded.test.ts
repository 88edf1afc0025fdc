import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readState } from '../../src/broker/broker-state.ts'
import { identify, isRunning } from '../../src/broker/process-identity.ts'
import { stopProcess } from '../../src/broker/stop.ts'
import { countMessages } from '../../src/sinks/sqlite/count.ts'
import type { Status } from '../../src/app/status.ts'
import { type ChatfeedProcess, runChatfeed, startChatfeed } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'

/** The processes that a process has started. */
function childrenOf(pid: number): number[] {
  const all = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  return all
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([child = 0, parent]) => (parent === pid ? [child] : []))
}

/** Ends a process as Ctrl-C does: in time, with status 0, its broker and its children gone. */
async function interrupt({ process: child, ended }: ChatfeedProcess, kafkaDirectory: string): Promise<void> {
  const { broker } = readState(kafkaDirectory) ?? assert.fail('no broker')
  assert.ok(isRunning(broker))
  const children = childrenOf(child.pid ?? 0)
  const begun = Date.now()
  child.kill('SIGINT')
  const { status, stderr } = await ended
  assert.equal(status, 0, stderr)
  assert.ok(Date.now() - begun < 10_000, `it took ${Date.now() - begun} ms to end`)
  assert.ok(!isRunning(broker), 'Kafka has ended')
  // The compiler that the test runs chatfeed with ends a moment after it.
  await until('no child is left', () => children.every((pid) => identify(pid) === null), 5_000)
}

test('in an empty folder all starts by itself, ends by Ctrl-C and goes on at the next start', async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'chatfeed-'))
  const database = join(cwd, '.chatfeed', 'messages.db')
  const kafka = join(cwd, '.chatfeed', 'kafka')
  const run = (...parameters: string[]) => runChatfeed(t, parameters, { cwd })

  t.after(async () => {
    const state = readState(kafka)
    if (state) await stopProcess(state.broker)
    rmSync(cwd, { recursive: true, force: true, maxRetries: 3 })
  })

  const first = startChatfeed(t, ['up'], { cwd })
  await until('more than 100 messages are stored', () => (countMessages(database) ?? 0) > 100, 60_000)
  const found = await run('search', '退款', '--json')
  assert.equal(found.status, 0, found.stderr)
  assert.ok((JSON.parse(found.stdout) as { total: number }).total > 0)
  await interrupt(first, kafka)
  assert.deepEqual(readdirSync(cwd), ['.chatfeed'])
  const stored = countMessages(database) ?? 0

  const second = startChatfeed(t, ['up'], { cwd })
  await until('the second start goes on', () => (countMessages(database) ?? 0) > stored)
  const status = await run('status', '--json')
  assert.equal(status.status, 0, status.stderr)
  const { sources, dead } = JSON.parse(status.stdout) as Status
  const files = sources.find(({ name }) => name === 'support')?.units ?? []
  const read = files.filter(({ state }) => state === 'published')
  assert.ok(read.length > 0)
  assert.deepEqual(
    read.filter(({ attempts }) => attempts !== 1),
    [],
    'no hour file is read twice',
  )
  assert.deepEqual(dead, { count: 0 })
  await interrupt(second, kafka)
})
