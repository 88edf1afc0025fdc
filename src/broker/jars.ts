import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cacheDirectory } from '../config/cache-dir.ts'
import { javaEnvironment } from '../config/java-environment.ts'
import type { ChatfeedError } from '../errors.ts'
import { noBroker } from './errors.ts'

const run = promisify(execFile)

const pom = fileURLToPath(new URL('../../broker/pom.xml', import.meta.url))

/** The Kafka that this chatfeed brings. */
export function kafkaVersion(): string {
  return /<kafka\.version>(.+)<\/kafka\.version>/.exec(readFileSync(pom, 'utf8'))?.[1] ?? 'unknown'
}

/**
 * The folder with Kafka's jars, in the user's cache. Filled by Maven the first time, then used without Maven.
 * It appears whole or not at all, and keeps its name for as long as pom.xml asks for the same jars.
 */
export async function kafkaJars(options: {
  onProgress?: ((text: string) => void) | undefined
  signal?: AbortSignal | undefined
}): Promise<string> {
  const jars = jarsFolder()
  if (existsSync(jars)) return jars

  options.onProgress?.(`downloading Kafka ${kafkaVersion()} (once)…`)
  await mkdir(cacheDirectory(), { recursive: true })
  const download = await mkdtemp(`${jars}.download-`)
  try {
    await copyDependencies(download, options.signal)
    await rename(download, jars)
  } catch (error) {
    await rm(download, { recursive: true, force: true })
    // Another chatfeed may have been quicker; its folder is as good.
    if (!existsSync(jars)) throw error
  }
  return jars
}

/** Whether the jars are there. Throws ChatfeedError when they are not and there is no Maven to fetch them. */
export async function haveKafka(): Promise<boolean> {
  if (existsSync(jarsFolder())) return true
  await run('mvn', ['--version'], { env: javaEnvironment() }).catch((error: unknown) => {
    throw mavenMissing(error)
  })
  return false
}

function jarsFolder(): string {
  const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 8)
  return join(cacheDirectory(), `kafka-${kafkaVersion()}-${digest}`)
}

function mavenMissing(cause: unknown): ChatfeedError {
  return noBroker('maven_missing', 'Kafka must be downloaded once, and no mvn was found on the PATH.', cause)
}

async function copyDependencies(into: string, signal: AbortSignal | undefined): Promise<void> {
  const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', `-DoutputDirectory=${into}`]
  try {
    await run('mvn', ['-B', '-q', '-f', pom, ...goal], { env: javaEnvironment(), signal })
  } catch (error) {
    signal?.throwIfAborted()
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: string; stderr?: string }
    if (code === 'ENOENT') throw mavenMissing(error)
    const reason = reasonIn(`${stdout}\n${stderr}`)
    throw noBroker('kafka_download_failed', `Maven could not download Kafka: ${reason}`, error)
  }
}

/** Maven puts the reason into its first error line. */
function reasonIn(output: string): string {
  const [, reason] = /\[ERROR\] (.*\S)/.exec(output) ?? /(\S.*)/.exec(output) ?? []
  return reason ?? 'it gave no reason.'
}
