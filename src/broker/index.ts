import { existsSync, mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Logger } from '../log.ts'
import { readState, writeState, type BrokerState } from './broker-state.ts'
import { lockDirectory } from './directory-lock.ts'
import { kafkaJars, kafkaVersion } from './jars.ts'
import { findJava } from './java.ts'
import { logFileOf } from './kafka-process.ts'
import { BrokerGuard } from './guard.ts'
import { clusterIdOf, launchBroker } from './launch.ts'
import { untilServing } from './probe.ts'
import { lastWords } from './last-words.ts'
import { currentProcess, isRunning, isSame, type ProcessIdentity } from './process-identity.ts'
import { stopProcess } from './stop.ts'

// Enough for a broker that was still starting when its starter was killed.
const adoptionLimitMs = 10_000
const releaseLockLimitMs = 3000

/** One use of the shared broker of a data directory. */
export interface EmbeddedBroker {
  /** `127.0.0.1:port`. */
  readonly address: string
  /** Of the broker that serves now: one that ends by itself is started again. */
  readonly pid: number
  /** What keeps it from serving, in a sentence for the user; null while it runs. */
  readonly trouble: string | null
  /** Rejects when it can only come back at another address. */
  readonly failed: Promise<never>
  /** Ends this use. The last one to end stops the broker and waits until it is gone. May be called again. */
  release(): Promise<void>
}

/** Where the broker lives and who is told of its start. */
export interface EmbeddedBrokerOptions {
  /** The broker keeps everything in `kafka` below it. */
  dataDir: string
  log: Logger
  /** Gets a few words for the user when something begins that takes more than a moment. */
  onProgress?: (text: string) => void
  /** Ends the start, which then rejects with the signal's reason and leaves no new process. */
  signal?: AbortSignal
}

/**
 * Gives the one Kafka broker of a data directory, which all chatfeed processes with that directory share: the first
 * starts it, later ones join, and one that outlived its users, because they were killed, is used again. Resolves
 * when it serves clients. Rejects with a fatal ChatfeedError: it names the ways out where there is no Java, or no
 * Maven to fetch Kafka with, and shows the broker's last words when it does not start.
 */
export async function useEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const { log } = options
  const directory = join(resolve(options.dataDir), 'kafka')
  mkdirSync(directory, { recursive: true })
  const me = currentProcess()
  // One entry for each use, also for a second one of this process.
  const begin = (users: ProcessIdentity[]) => [...users, me]
  const goOn = (users: ProcessIdentity[]) => (users.some((user) => isSame(user, me)) ? users : [...users, me])
  const guard = new BrokerGuard(await takePart(directory, begin, options), {
    log,
    lastWords: () => lastWords(logFileOf(directory)),
    revive: (signal) => takePart(directory, goOn, { ...options, signal }),
  })
  let released: Promise<void> | undefined
  return {
    address: `127.0.0.1:${guard.state.port}`,
    get pid() {
      return guard.state.broker.pid
    },
    get trouble() {
      return guard.trouble
    },
    failed: guard.failed,
    release: () => (released ??= guard.stop().then(() => release(directory, guard.state.broker, me, log))),
  }
}

/** The broker of a directory, started where none runs; `enter` puts this process among its users. */
async function takePart(
  directory: string,
  enter: (users: ProcessIdentity[]) => ProcessIdentity[],
  options: EmbeddedBrokerOptions,
): Promise<BrokerState> {
  const { onProgress, signal } = options
  const unlock = await lockDirectory(directory, {
    signal,
    onWait: () => onProgress?.('waiting for another chatfeed that starts or stops Kafka…'),
  })
  try {
    const state = (await adopt(directory, options)) ?? (await start(directory, options))
    const shared = { ...state, users: enter(state.users.filter(isRunning)) }
    writeState(directory, shared)
    return shared
  } finally {
    unlock()
  }
}

/** The broker that runs here already. Null when there is none of use to us: then none runs. */
async function adopt(directory: string, { log, signal }: EmbeddedBrokerOptions): Promise<BrokerState | null> {
  const state = readState(directory)
  if (state === null || !isRunning(state.broker)) return null
  const deadline = Date.now() + adoptionLimitMs
  const giveUp = (): boolean => signal?.aborted === true || Date.now() > deadline || !isRunning(state.broker)
  const serving = await untilServing(state.port, clusterIdOf(directory), giveUp)
  signal?.throwIfAborted()
  // Another version is no reason to take the broker away from those who use it.
  if (serving && (state.kafkaVersion === kafkaVersion() || state.users.some(isRunning))) {
    log.info({ broker: state.broker.pid, port: state.port }, 'using the Kafka that runs already')
    return state
  }
  log.warn({ serving, version: state.kafkaVersion }, 'ending the Kafka of an earlier run')
  await stopProcess(state.broker)
  return null
}

async function start(directory: string, options: EmbeddedBrokerOptions): Promise<BrokerState> {
  const { log, onProgress, signal } = options
  const java = await findJava()
  const jars = await kafkaJars({ onProgress, signal })
  const version = kafkaVersion()
  onProgress?.(`starting Kafka ${version}…`)
  const before = readState(directory)
  const { broker, port } = await launchBroker({
    directory,
    java,
    jars,
    preferredPort: before?.port,
    signal,
    // Written before it serves: should we be killed now, the next chatfeed finds it.
    onSpawn: (broker, port) => {
      writeState(directory, stateOf(broker, port))
    },
  })
  log.info({ broker: broker.pid, port, version }, 'started Kafka')
  return stateOf(broker, port)

  function stateOf(broker: ProcessIdentity, port: number): BrokerState {
    return { broker, port, kafkaVersion: version, users: before?.users ?? [] }
  }
}

async function release(
  directory: string,
  broker: ProcessIdentity,
  me: ProcessIdentity,
  log: Logger,
): Promise<void> {
  // Someone deleted the directory: nobody else can find the broker any more.
  if (!existsSync(directory)) return stopProcess(broker)
  let unlock: () => void
  try {
    unlock = await lockDirectory(directory, { signal: AbortSignal.timeout(releaseLockLimitMs) })
  } catch (error) {
    // Our entry counts no longer once our process has ended.
    log.warn({ err: error }, 'left Kafka to another chatfeed that is busy with it')
    return
  }
  try {
    const state = readState(directory)
    if (state === null) return await stopProcess(broker)
    const mine = state.users.findIndex((user) => isSame(user, me))
    const users = state.users.filter((user, index) => index !== mine && isRunning(user))
    writeState(directory, { ...state, users })
    if (users.length === 0) await stopProcess(state.broker)
  } finally {
    unlock()
  }
}
