import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cleanup } from './cleanup.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const commandLines = 'test/support/command-lines.ts'
/** The program as `npm run test:run` has built it, which starts in half the time; a file run by itself has the sources. */
const built = process.env['CHATFEED_TEST_PROGRAM']

export interface ProcessResult {
  /** Exit status; null when a signal ended it. */
  status: number | null
  stdout: string
  stderr: string
}

/** A chatfeed process of its own. */
export interface ChatfeedProcess {
  process: ChildProcess
  /** What it has printed so far. */
  stdout(): string
  stderr(): string
  ended: Promise<ProcessResult>
}

export interface StartOptions {
  /** The working directory. */
  cwd: string
  /** The folder of another version of the program; this one otherwise. */
  program?: string | undefined
  env?: Record<string, string>
  /** What it reads on standard input; nothing otherwise. */
  input?: string
  /** A module of test/support that is loaded before the program. */
  preload?: string
  /** Takes root's power over all files from it, should the tests have that: then modes count (Linux). */
  withoutPower?: boolean
}

/** Starts `chatfeed ARGUMENTS`. It is killed after the test, should it still run. */
export function startChatfeed(
  t: Cleanup,
  parameters: readonly string[],
  options: StartOptions,
): ChatfeedProcess {
  const isBuilt = built && !options.preload && !options.program
  return isBuilt
    ? start(t, [join(built, 'dist/main.js'), ...parameters], options)
    : startSources(t, ['src/main.ts', ...parameters], options)
}

/** Starts a TypeScript module of this or another version of the program. */
function startSources(
  t: Cleanup,
  [script = '', ...parameters]: readonly string[],
  options: StartOptions,
): ChatfeedProcess {
  const { program = root, preload } = options
  const imports = [import.meta.resolve('tsx'), ...(preload ? [import.meta.resolve(`./${preload}`)] : [])]
  const words = imports.flatMap((module) => ['--import', module])
  return start(t, [...words, join(program, script), ...parameters], options)
}

/** Starts Node with these words. */
function start(
  t: Cleanup,
  words: readonly string[],
  { cwd, env = {}, input = '', withoutPower = false }: StartOptions,
): ChatfeedProcess {
  const before = withoutPower && process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all'] : []
  const [command = '', ...rest] = [...before, process.execPath, ...words]
  const child = spawn(command, rest, {
    cwd,
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.stdin.on('error', () => undefined).end(input)
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, stdout, stderr }))
  return { process: child, stdout: () => stdout, stderr: () => stderr, ended }
}

/** Runs `chatfeed ARGUMENTS` to its end. */
export function runChatfeed(
  t: Cleanup,
  parameters: readonly string[],
  options: StartOptions,
): Promise<ProcessResult> {
  return startChatfeed(t, parameters, options).ended
}

/** Runs short command lines one after the other in one process, which saves the time of starting one for each. */
export async function runCommandLines(
  t: Cleanup,
  lines: readonly (readonly string[])[],
  cwd: string,
  program?: string,
): Promise<ProcessResult[]> {
  const { status, stdout, stderr } = await startSources(t, [commandLines], {
    cwd,
    program,
    input: JSON.stringify(lines),
    ...(program && { env: { CHATFEED_TEST_PROGRAM: '' } }),
  }).ended
  // Logs of a running pipeline go past the command lines.
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as ProcessResult[]
}

/** An empty folder that is gone after the test. */
export function temporaryFolder(t: Cleanup): string {
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-'))
  t.after(() => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  return folder
}
