/**
 * Runs the tests of one level or of all: `npm run test:run [unit|contract|integration] [FILE…]`, each file in a
 * process of its own. The level `stores` needs servers that Node, Java and Maven alone do not bring: it runs only
 * when it is named. All but unit tests share one real broker, whose address they find in the
 * environment variable CHATFEED_TEST_BROKERS; programs that integration tests start are built once, from the sources. Everything temporary lies in one folder, which is gone at the end, and
 * so are the brokers that tests started in it. The last line is `N passed, N failed`.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { run } from 'node:test'
import { spec as Spec } from 'node:test/reporters'
import { pipeline } from 'node:stream/promises'
import { readState } from '../src/broker/broker-state.ts'
import { type EmbeddedBroker, useEmbeddedBroker } from '../src/broker/index.ts'
import { stopProcess } from '../src/broker/stop.ts'
import { silentLog } from '../src/log.ts'

const levels = ['unit', 'contract', 'integration', 'stores'] as const
const levelsWithBroker = ['contract', 'integration', 'stores']
const root = import.meta.dirname
/** A file that takes longer hangs: a promise that never settles, or a handle that was left open. */
const fileLimitMs = 300_000
/** One more than there are cores here: much of the time a test waits for a broker or a session to end. */
const concurrency = availableParallelism() + 1

const files = chosenFiles(process.argv.slice(2))
const temporary = mkdtempSync(join(tmpdir(), 'chatfeed-test-'))
process.env['TMPDIR'] = temporary
// The tests' own cache of compiled code lies in that folder, whatever was said for this process.
delete process.env['TSX_DISABLE_CACHE']

const interrupt = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupt.abort(new Error(`interrupted by ${signal}`))
  })
}

let passed = 0
let failed = 0
let broker: EmbeddedBroker | undefined
try {
  if (files.some((file) => ['integration', 'stores'].includes(levelOf(file))))
    process.env['CHATFEED_TEST_PROGRAM'] = build()
  const withBroker = files.filter((file) => levelsWithBroker.includes(levelOf(file)))
  if (withBroker.length > 0) {
    broker = await useEmbeddedBroker({
      dataDir: join(temporary, 'broker'),
      log: silentLog,
      onProgress: (text) => process.stderr.write(`${text}\n`),
      signal: interrupt.signal,
    })
    process.env['CHATFEED_TEST_BROKERS'] = broker.address
  }
  if (files.length > 0) await runFiles()
} catch (error) {
  failed++
  console.error(error)
} finally {
  await broker?.release()
  for (const directory of brokersBelow(temporary)) {
    const state = readState(directory)
    if (state) await stopProcess(state.broker)
  }
  rmSync(temporary, { recursive: true, force: true, maxRetries: 3 })
}
process.exitCode = failed > 0 || passed === 0 || interrupt.signal.aborted ? 1 : 0
process.stdout.write(`${passed} passed, ${failed} failed\n`)

/** Builds the program from the sources, as `npm ci` does, in a folder of this run; answers the folder. */
function build(): string {
  const repository = dirname(root)
  const folder = join(temporary, 'program')
  const compiler = join(repository, 'node_modules/typescript/bin/tsc')
  const words = ['-p', join(repository, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')]
  execFileSync(process.execPath, [compiler, ...words], { stdio: ['ignore', 'inherit', 'inherit'] })
  for (const name of ['schemas', 'broker', 'node_modules', 'package.json'])
    symlinkSync(join(repository, name), join(folder, name))
  return folder
}

async function runFiles(): Promise<void> {
  const tests = run({ files, concurrency, timeout: fileLimitMs, signal: interrupt.signal })
  tests.on('test:pass', ({ name, details, skip, todo }) => {
    // A file without any test is reported as a test of its own.
    if (details.type !== 'suite' && !files.includes(resolve(name)) && !skip && !todo) passed++
  })
  tests.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') failed++
  })
  await pipeline(tests, new Spec(), process.stdout, { end: false })
}

/** The test files asked for, the slow levels first, so that two processes share the work well. */
function chosenFiles(words: string[]): string[] {
  const level = levels.find((name) => name === words[0])
  const wanted = (level ? words.slice(1) : words).map((word) => resolve(word))
  const found = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(root, name))
    .sort((a, b) => levels.indexOf(levelOf(b)) - levels.indexOf(levelOf(a)) || (a < b ? -1 : 1))
  for (const file of wanted) if (!found.includes(file)) console.error(`No such test file: ${file}`)
  return found.filter(
    (file) =>
      (level === undefined ? levelOf(file) !== 'stores' || wanted.length > 0 : levelOf(file) === level) &&
      (wanted.length === 0 || wanted.includes(file)),
  )
}

function levelOf(file: string): (typeof levels)[number] {
  const [first] = relative(root, file).split(/[\\/]/)
  return levels.find((level) => level === first) ?? 'unit'
}

/** Directories of brokers that a test of this run started and did not stop, because it was killed. */
function brokersBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('broker.json'))
    .map((name) => join(folder, dirname(name)))
}
