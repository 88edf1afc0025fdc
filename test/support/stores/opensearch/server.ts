import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { javaEnvironment } from '../../../../src/config/java-environment.ts'
import { findJava } from '../../../../src/broker/java.ts'
import { freePort } from '../../../../src/broker/ports.ts'
import type { Cleanup } from '../../cleanup.ts'
import { until } from '../../kafka.ts'
import { installOpensearch } from './install.ts'

/** It refuses to run as root: then it is the user nobody. */
const nobody = 65_534
const isRoot = process.getuid?.() === 0
const startLimitMs = 120_000

/** A real OpenSearch with one node, on 127.0.0.1. */
export interface SearchServer {
  url: string
  /** Changes when it is started again. */
  pid(): number
  /** Ends it as a loss of power would, but for what the system has yet to write. */
  kill(): Promise<void>
  /** Starts it on the same port and data, after `kill`. */
  start(): Promise<void>
}

/**
 * Starts a server with empty data; it ends with the test. `settings` stand beside the usual ones, by
 * their flat names. The `full` compilers are for benchmarks: they start slowly, and are faster in the end.
 */
export async function startOpensearch(
  t: Cleanup,
  settings: Record<string, string | number | boolean> = {},
  compilers: 'quick' | 'full' = 'quick',
): Promise<SearchServer> {
  const installed = await installOpensearch()
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-opensearch-'))
  const port = await freePort()
  const home = prepareFolder(folder, installed)
  const given = {
    'cluster.name': 'chatfeed-test',
    'network.host': '127.0.0.1',
    'http.port': port,
    'transport.port': await freePort(port + 1),
    'discovery.type': 'single-node',
    'cluster.routing.allocation.disk.threshold_enabled': false,
    'path.data': join(folder, 'data'),
    'path.logs': join(folder, 'logs'),
    ...settings,
  }
  const lines = Object.entries(given).map(([name, value]) => `${name}: ${value}\n`)
  writeFileSync(join(folder, 'config/opensearch.yml'), lines.join(''))
  const url = `http://127.0.0.1:${port}`
  const java = await findJava()
  let child: ChildProcess | undefined
  const server: SearchServer = {
    url,
    pid: () => child?.pid ?? 0,
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
    async start() {
      child = launch(java, home, folder, compilers)
      await until('OpenSearch serves', () => serves(url, child, folder), startLimitMs)
    },
  }
  t.after(async () => {
    await server.kill()
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  await server.start()
  return server
}

/** What it reads and writes, as the user it runs as may; answers where its program is. */
function prepareFolder(folder: string, installed: string): string {
  cpSync(join(installed, 'config'), join(folder, 'config'), { recursive: true })
  for (const name of ['data', 'logs', 'tmp']) mkdirSync(join(folder, name))
  if (!isRoot) return installed
  // The cache of root, and a temporary folder that root made, are closed to others.
  const { mode } = statSync(tmpdir())
  if ((mode & 0o001) === 0) chmodSync(tmpdir(), mode | 0o011)
  chmodSync(folder, 0o755)
  for (const name of ['.', 'config', 'data', 'logs', 'tmp']) chownSync(join(folder, name), nobody, nobody)
  const home = join(folder, 'home')
  cpSync(installed, home, { recursive: true })
  return home
}

function launch(java: string, home: string, folder: string, compilers: 'quick' | 'full'): ChildProcess {
  const options = [
    ...(compilers === 'quick' ? ['-XX:TieredStopAtLevel=1'] : []),
    ...['-Xms512m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Djava.security.manager=allow'],
    ...['-Dlog4j.shutdownHookEnabled=false', '-Dlog4j2.disable.jmx=true', '-Dfile.encoding=UTF-8'],
    ...['-Dopensearch.distribution.type=zip', '-Dopensearch.bundled_jdk=false', '-Djna.nosys=true'],
    `-Djava.io.tmpdir=${join(folder, 'tmp')}`,
    `-Dopensearch.path.home=${home}`,
    `-Dopensearch.path.conf=${join(folder, 'config')}`,
  ]
  const output = openSync(join(folder, 'server.log'), 'a')
  return spawn(java, [...options, '-cp', join(home, 'lib', '*'), 'org.opensearch.bootstrap.OpenSearch'], {
    cwd: folder,
    env: javaEnvironment(),
    stdio: ['ignore', output, output],
    ...(isRoot && { uid: nobody, gid: nobody }),
  })
}

async function serves(url: string, child: ChildProcess | undefined, folder: string): Promise<boolean> {
  if (child?.exitCode !== null) {
    const words = readFileSync(join(folder, 'server.log'), 'utf8').slice(-2_000)
    throw new Error(`OpenSearch ended with ${child?.exitCode}:\n${words}`)
  }
  try {
    // Before this its indices may still be on their way from the disk.
    return (await fetch(`${url}/_cluster/health?wait_for_status=yellow&timeout=1s`)).ok
  } catch {
    return false
  }
}
