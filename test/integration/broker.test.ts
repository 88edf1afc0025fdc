import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { suite, test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { readState, writeState } from '../../src/broker/broker-state.ts'
import { useEmbeddedBroker, type EmbeddedBroker, type EmbeddedBrokerOptions } from '../../src/broker/index.ts'
import { clusterIdAt } from '../../src/broker/probe.ts'
import { identify, isRunning, type ProcessIdentity } from '../../src/broker/process-identity.ts'
import { stopProcess } from '../../src/broker/stop.ts'
import { silentLog } from '../../src/log.ts'
import { until } from '../support/kafka.ts'

// Side by side, because the one about a broker that hangs is mostly waiting.
suite('the embedded broker', { concurrency: 2 }, () => {
  test('a broker serves until it is released; the next one has the same port and the same data', async (t) => {
    const dataDir = temporary(t)
    const progress: string[] = []
    const first = await use(dataDir, { onProgress: (text) => progress.push(text) })
    assert.match(progress.at(-1) ?? '', /^starting Kafka 4\./)
    const clusterId = await clusterIdAt(portOf(first))
    assert.ok(clusterId)

    await first.release()
    await first.release()
    assert.equal(identify(first.pid), null)
    assert.equal(await clusterIdAt(portOf(first)), null)

    const begun = Date.now()
    const second = await use(dataDir)
    assert.ok(Date.now() - begun < 15_000, 'a later start takes less than 15 s')
    assert.equal(second.address, first.address)
    assert.equal(await clusterIdAt(portOf(second)), clusterId)
  })

  test('processes that start at the same time share one broker, and the last to go stops it', async (t) => {
    const dataDir = temporary(t)
    const [one, other] = await Promise.all([startUser(t, dataDir), startUser(t, dataDir)])
    assert.equal(one.broker, other.broker)
    const broker = identify(one.broker)
    assert.ok(broker)

    await one.release()
    assert.equal(isRunning(broker), true)
    assert.ok(await clusterIdAt(readState(join(dataDir, 'kafka'))?.port ?? 0))
    await other.release()
    assert.equal(isRunning(broker), false)
  })

  test('a broker whose user was killed is used again; its dead user does not keep it alive', async (t) => {
    const dataDir = temporary(t)
    const user = await startUser(t, dataDir)
    await user.kill()
    const broker = await use(dataDir)
    assert.equal(broker.pid, user.broker)
    await broker.release()
    assert.equal(identify(broker.pid), null)
  })

  test('a broker that was left over and hangs is ended and replaced', async (t) => {
    const dataDir = temporary(t)
    const directory = join(dataDir, 'kafka')
    const first = await use(dataDir)
    await first.release()
    const state = readState(directory)
    assert.ok(state)
    const hanging = await startHanging(t)
    writeState(directory, { ...state, broker: hanging })
    const broker = await use(dataDir)
    assert.equal(isRunning(hanging), false)
    assert.equal(broker.address, first.address)
  })

  test('a broker that is killed while it is used comes back at the same address, for all who use it', async (t) => {
    let logged = ''
    const lines = new Writable({
      write(chunk, _, done) {
        logged += String(chunk)
        done()
      },
    })
    const dataDir = temporary(t)
    const user = await startUser(t, dataDir)
    const broker = await use(dataDir, { log: pino(lines) })
    const clusterId = await clusterIdAt(portOf(broker))
    const killed = broker.pid
    // Whoever sees it first starts it, and the other one joins.
    process.kill(killed, 'SIGKILL')
    await until('another broker serves', () => broker.pid !== killed && broker.trouble === null)
    assert.equal(await clusterIdAt(portOf(broker)), clusterId)
    assert.match(logged, /Kafka ended by itself and is started again/)
    assert.equal(readState(join(dataDir, 'kafka'))?.users.length, 2)

    await user.release()
    await broker.release()
    assertNoBroker(dataDir)
  })

  test('a broker that cannot start again is tried again, and its user can still end', async (t) => {
    const dataDir = temporary(t)
    const broker = await use(dataDir)
    const settings = join(dataDir, 'kafka', 'data', 'meta.properties')
    const whole = readFileSync(settings)
    writeFileSync(settings, 'no properties at all\n')
    process.kill(broker.pid, 'SIGKILL')
    await until('the start has failed', () => /Kafka did not start/.test(broker.trouble ?? ''))
    writeFileSync(settings, whole)
    await until('it serves again', () => broker.trouble === null)
    assert.ok(await clusterIdAt(portOf(broker)))

    writeFileSync(settings, 'no properties at all\n')
    process.kill(broker.pid, 'SIGKILL')
    await until('its end is seen', () => broker.trouble !== null)
    await broker.release()
    assertNoBroker(dataDir)
  })

  test('a broker of another version is joined while it is used, and replaced when nobody uses it', async (t) => {
    const dataDir = temporary(t)
    const directory = join(dataDir, 'kafka')
    const user = await startUser(t, dataDir)
    const state = readState(directory)
    assert.ok(state)
    writeState(directory, { ...state, kafkaVersion: '3.9.0' })
    const joined = await use(dataDir)
    assert.equal(joined.pid, user.broker)
    await joined.release()

    await user.kill()
    const broker = await use(dataDir)
    assert.notEqual(broker.pid, user.broker)
    assert.equal(identify(user.broker), null)
  })

  test('a port that was taken meanwhile is replaced by another', async (t) => {
    const dataDir = temporary(t)
    const first = await use(dataDir)
    await first.release()
    const squatter = createServer().listen(portOf(first), '127.0.0.1')
    await once(squatter, 'listening')
    t.after(() => squatter.close())
    const second = await use(dataDir)
    assert.notEqual(second.address, first.address)
    assert.ok(await clusterIdAt(portOf(second)))
  })

  test('a broker that cannot start shows its last words and leaves no process', async (t) => {
    const dataDir = temporary(t)
    await (await use(dataDir)).release()
    writeFileSync(join(dataDir, 'kafka', 'data', 'meta.properties'), 'no properties at all\n')
    await assert.rejects(useEmbeddedBroker({ dataDir, log: silentLog }), {
      name: 'ChatfeedError',
      remedy: 'fatal',
      code: 'broker_failed',
      message:
        /^Kafka did not start \(exit status 1\)\. Its last words:\n.*RuntimeException: Error: node ID not found/s,
      mend: /broker\.log/,
    })
    assertNoBroker(dataDir)
  })

  test('a start that is no longer wanted ends, and leaves no process', async (t) => {
    const dataDir = temporary(t)
    const stop = new AbortController()
    const starting = useEmbeddedBroker({ dataDir, log: silentLog, signal: stop.signal })
    const directory = join(dataDir, 'kafka')
    await until('the start has begun', () => readState(directory) !== null)
    stop.abort(new Error('enough'))
    await assert.rejects(starting, /enough/)
    assertNoBroker(dataDir)
  })

  test('a broker whose directory was deleted is stopped all the same', async (t) => {
    const dataDir = temporary(t)
    const broker = await use(dataDir)
    rmSync(dataDir, { recursive: true })
    await broker.release()
    assert.equal(identify(broker.pid), null)
  })
})

/** What `temporary` has to release, by data directory. */
const uses = new Map<string, EmbeddedBroker[]>()

async function use(dataDir: string, options: Partial<EmbeddedBrokerOptions> = {}): Promise<EmbeddedBroker> {
  const broker = await useEmbeddedBroker({ dataDir, log: silentLog, ...options })
  uses.set(dataDir, [...(uses.get(dataDir) ?? []), broker])
  return broker
}

interface User {
  /** Process id of the broker it uses. */
  broker: number
  release(): Promise<void>
  kill(): Promise<void>
}

/** Starts another process that uses the broker. */
async function startUser(t: TestContext, dataDir: string): Promise<User> {
  const script = fileURLToPath(new URL('../support/broker-user.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const exit = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exit
  })
  const [line] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    broker: Number(line),
    async release() {
      child.stdin.end()
      assert.deepEqual(await exit, [0, null])
    },
    async kill() {
      child.kill('SIGKILL')
      await exit
    },
  }
}

/** A process that serves nobody and does not end when it is asked to, as a broker that hangs. */
async function startHanging(t: TestContext): Promise<ProcessIdentity> {
  const script = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('ready')"
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const identity = child.pid === undefined ? null : identify(child.pid)
  assert.ok(identity)
  return identity
}

function portOf(broker: EmbeddedBroker): number {
  return Number(broker.address.split(':')[1])
}

function assertNoBroker(dataDir: string): void {
  const state = readState(join(dataDir, 'kafka'))
  assert.ok(state)
  assert.equal(isRunning(state.broker), false)
}

/** A data directory of its own; what still runs there at the end of the test is stopped. */
function temporary(t: TestContext): string {
  const dataDir = mkdtempSync(join(tmpdir(), 'chatfeed-broker-'))
  t.after(async () => {
    for (const broker of uses.get(dataDir) ?? []) await broker.release()
    const state = readState(join(dataDir, 'kafka'))
    if (state !== null) await stopProcess(state.broker)
    rmSync(dataDir, { recursive: true, force: true })
  })
  return dataDir
}
