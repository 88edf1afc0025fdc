import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kafkaFailed, runKafka, type KafkaFiles } from './kafka-process.ts'
import { freePort } from './ports.ts'
import { untilServing } from './probe.ts'
import { identify, type ProcessIdentity } from './process-identity.ts'
import { serverProperties } from './server-properties.ts'
import { stopProcess } from './stop.ts'

// After a power cut Kafka checks its data while it starts: that takes longer the more there is.
const startLimitMs = 180_000
const portAttempts = 3

/** What a broker is launched with. */
export interface LaunchOptions extends KafkaFiles {
  preferredPort: number | undefined
  signal: AbortSignal | undefined
  /** Called as soon as the process exists, before it serves. */
  onSpawn(broker: ProcessIdentity, port: number): void
}

/** A broker that serves. */
export interface LaunchedBroker {
  broker: ProcessIdentity
  port: number
}

/**
 * Starts Kafka on a directory that nobody else uses and waits until it serves clients. If it fails, the error holds
 * its last words and no process is left.
 */
export async function launchBroker(options: LaunchOptions): Promise<LaunchedBroker> {
  if (clusterIdOf(options.directory) === null) await format(options)
  for (let attempt = 1; ; attempt++) {
    const port = await freePort(attempt === 1 ? options.preferredPort : undefined)
    try {
      return await start(port, options)
    } catch (error) {
      // Someone was quicker to take one of our ports.
      const portTaken = error instanceof Error && error.message.includes('Address already in use')
      if (!portTaken || attempt === portAttempts) throw error
    }
  }
}

/** The id that only the broker of this directory has; null while there are no data, `''` if they are damaged. */
export function clusterIdOf(directory: string): string | null {
  const file = join(directory, 'data', 'meta.properties')
  if (!existsSync(file)) return null
  return /^cluster\.id=(\S+)/m.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
}

async function format(options: LaunchOptions): Promise<void> {
  const { directory, signal } = options
  // The ports must be there, but nobody looks at them yet.
  writeSettings(directory, 1, 2)
  const clusterId = randomBytes(16).toString('base64url')
  const { ended } = runKafka(options, 'kafka.tools.StorageTool', 'format', `--cluster-id=${clusterId}`, '-c')
  const end = await ended
  signal?.throwIfAborted()
  if (clusterIdOf(directory) !== clusterId)
    throw kafkaFailed(directory, `Kafka could not lay out its data (${end})`)
}

async function start(port: number, options: LaunchOptions): Promise<LaunchedBroker> {
  const { directory, signal } = options
  writeSettings(directory, port, await freePort(port + 1))
  const { child, ended } = runKafka(options, 'kafka.Kafka')
  const broker = child.pid === undefined ? null : identify(child.pid)
  if (broker !== null) options.onSpawn(broker, port)

  let end: string | undefined
  void ended.then((how) => {
    end = how
  })
  const deadline = Date.now() + startLimitMs
  const giveUp = (): boolean => end !== undefined || signal?.aborted === true || Date.now() > deadline
  if ((await untilServing(port, clusterIdOf(directory), giveUp)) && broker !== null) {
    child.unref()
    return { broker, port }
  }

  const what =
    end === undefined
      ? `Kafka did not serve clients within ${startLimitMs / 1000} s`
      : `Kafka did not start (${end})`
  if (broker !== null) await stopProcess(broker)
  signal?.throwIfAborted()
  throw kafkaFailed(directory, what)
}

function writeSettings(directory: string, port: number, controllerPort: number): void {
  writeFileSync(join(directory, 'server.properties'), serverProperties({ port, controllerPort }))
}
