import { randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeState } from '../../src/broker/broker-state.ts'
import { kafkaJars, kafkaVersion } from '../../src/broker/jars.ts'
import { findJava } from '../../src/broker/java.ts'
import { kafkaFailed, type KafkaProcess, runKafka } from '../../src/broker/kafka-process.ts'
import { clusterIdOf } from '../../src/broker/launch.ts'
import { freePort } from '../../src/broker/ports.ts'
import { untilServing } from '../../src/broker/probe.ts'
import { identify } from '../../src/broker/process-identity.ts'
import { serverProperties } from '../../src/broker/server-properties.ts'
import type { Cleanup } from './cleanup.ts'
import { Proxy } from './proxy.ts'

/** How many brokers, and how they differ from the embedded one. */
export interface ClusterOptions {
  brokers?: number
  /** Puts a proxy before each broker. */
  proxied?: boolean
  /** Further lines of server.properties. */
  settings?: Record<string, string>
  /** Further listeners of the first broker: the security protocol by name, set up by `settings`. */
  listeners?: Record<string, string>
  /** Accounts, as `format --add-scram` takes them. */
  scram?: readonly string[]
}

/** Brokers of the test's own, each broker and controller at once, side by side on loopback. */
export interface TestCluster {
  brokers: TestBroker[]
  /** Straight to the brokers. */
  addresses: string[]
  /** Through the proxies; empty without them. */
  proxied: string[]
  /** The further listeners of the first broker, by name. */
  listeners: Record<string, string>
}

/** Starts the brokers and waits until all serve; they are gone after the test. */
export async function startCluster(t: Cleanup, options: ClusterOptions = {}): Promise<TestCluster> {
  const { brokers: count = 1, proxied = false, settings = {}, listeners: more = {}, scram = [] } = options
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-cluster-'))
  const brokers: TestBroker[] = []
  t.after(async () => {
    await Promise.all(brokers.map((broker) => broker.kill()))
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  const files = { java: await findJava(), jars: await kafkaJars({}) }
  const copies = Math.min(count, 3)
  const ids = Array.from({ length: count }, (_, index) => index + 1)
  const ports: { port: number; controllerPort: number }[] = []
  while (ports.length < count) {
    const port = await freePort()
    ports.push({ port, controllerPort: await freePort(port + 1) })
  }
  const morePorts: Record<string, number> = {}
  let morePort = (ports.at(-1)?.port ?? 0) + 10
  for (const name of Object.keys(more)) {
    morePort = await freePort(morePort + 1)
    morePorts[name] = morePort
  }
  for (const [index, id] of ids.entries()) {
    const proxy = proxied ? await Proxy.start(t) : null
    const { port, controllerPort } = ports[index]!
    const proxiedPort = await freePort(port + 2)
    if (proxy) proxy.target = proxiedPort
    const directory = join(folder, `broker-${id}`)
    mkdirSync(directory)
    const further = index === 0 ? morePorts : {}
    const listeners = { BROKER: port, ...(proxy ? { PROXIED: proxiedPort } : {}), ...further }
    const advertised = { BROKER: port, ...(proxy ? { PROXIED: proxy.port } : {}), ...further }
    const lines = {
      'node.id': String(id),
      'controller.quorum.voters': ids
        .map((node) => `${node}@127.0.0.1:${ports[node - 1]!.controllerPort}`)
        .join(','),
      listeners: addressesOf({ ...listeners, CONTROLLER: controllerPort }),
      'advertised.listeners': addressesOf(advertised),
      'listener.security.protocol.map': Object.entries({ ...plain, ...more })
        .map(([name, protocol]) => `${name}:${protocol}`)
        .join(','),
      'offsets.topic.replication.factor': String(copies),
      'transaction.state.log.replication.factor': String(copies),
      'transaction.state.log.min.isr': String(Math.min(2, copies)),
      'share.coordinator.state.topic.replication.factor': String(copies),
      ...settings,
    }
    // The last line about a setting counts.
    const text = Object.entries(lines)
      .map(([name, value]) => `${name}=${value}\n`)
      .join('')
    writeFileSync(join(directory, 'server.properties'), serverProperties({ port, controllerPort }) + text)
    brokers.push(new TestBroker(id, port, proxy, { ...files, directory }))
  }
  const [first, ...others] = brokers
  await first!.format(scram)
  for (const broker of others) broker.layOutAs(first!)
  await Promise.all(brokers.map((broker) => broker.start()))
  return {
    brokers,
    addresses: brokers.map(({ port }) => `127.0.0.1:${port}`),
    listeners: Object.fromEntries(
      Object.entries(morePorts).map(([name, port]) => [name, `127.0.0.1:${port}`]),
    ),
    proxied: brokers.flatMap(({ proxy }) => (proxy ? [`127.0.0.1:${proxy.port}`] : [])),
  }
}

const plain = { BROKER: 'PLAINTEXT', PROXIED: 'PLAINTEXT', CONTROLLER: 'PLAINTEXT' }

function addressesOf(ports: Record<string, number>): string {
  return Object.entries(ports)
    .map(([name, port]) => `${name}://127.0.0.1:${port}`)
    .join(',')
}

const startLimitMs = 60_000

/** One broker, which keeps its ports and its data over stops and starts. */
export class TestBroker {
  readonly id: number
  readonly port: number
  readonly proxy: Proxy | null
  readonly #files: { directory: string; java: string; jars: string }
  #running: KafkaProcess | undefined

  constructor(
    id: number,
    port: number,
    proxy: Proxy | null,
    files: { directory: string; java: string; jars: string },
  ) {
    this.id = id
    this.port = port
    this.proxy = proxy
    this.#files = files
  }

  get directory(): string {
    return this.#files.directory
  }

  get pid(): number {
    return this.#running?.child.pid ?? 0
  }

  /** Resolves with how it ended. */
  get ended(): Promise<string> {
    return this.#running?.ended ?? Promise.resolve('not running')
  }

  async format(scram: readonly string[] = []): Promise<void> {
    const clusterId = randomBytes(16).toString('base64url')
    const { ended } = runKafka(
      this.#files,
      'kafka.tools.StorageTool',
      'format',
      `--cluster-id=${clusterId}`,
      ...scram.flatMap((account) => ['--add-scram', account]),
      '-c',
    )
    const end = await ended
    if (clusterIdOf(this.directory) !== clusterId)
      throw kafkaFailed(this.directory, `Kafka could not lay out its data (${end})`)
  }

  /** What the format of another one left, under its own name: a Java less to start. */
  layOutAs(other: TestBroker): void {
    cpSync(join(other.directory, 'data'), join(this.directory, 'data'), { recursive: true })
    const file = join(this.directory, 'data', 'meta.properties')
    const text = readFileSync(file, 'utf8')
      .replace(/^node\.id=.*$/m, `node.id=${this.id}`)
      .replace(/^directory\.id=.*$/m, `directory.id=${randomBytes(16).toString('base64url')}`)
    writeFileSync(file, text)
  }

  /** Resolves when it serves clients. */
  async start(): Promise<void> {
    const running = runKafka(this.#files, 'kafka.Kafka')
    this.#running = running
    const broker = identify(this.pid)
    // So that the test runner finds it should this process be killed.
    if (broker)
      writeState(this.directory, { broker, port: this.port, kafkaVersion: kafkaVersion(), users: [] })
    let end: string | undefined
    void running.ended.then((how) => {
      end = how
    })
    const deadline = Date.now() + startLimitMs
    const serves = await untilServing(
      this.port,
      clusterIdOf(this.directory),
      () => end !== undefined || Date.now() > deadline,
    )
    if (!serves) throw kafkaFailed(this.directory, `Kafka did not start (${end ?? 'in time'})`)
  }

  /** A controlled shutdown. */
  stop(): Promise<void> {
    return this.#end('SIGTERM')
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#running?.child.kill(signal)
    await this.ended
    this.#running = undefined
  }
}
