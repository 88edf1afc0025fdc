import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { request } from 'undici'
import { cacheDirectory } from '../../../src/config/cache-dir.ts'
import { javaEnvironment } from '../../../src/config/java-environment.ts'
import type { Cleanup } from '../cleanup.ts'
import { until } from '../kafka.ts'

const run = promisify(execFile)
const version = '3.0.9'
const artifact = `io.apicurio:apicurio-registry-app:${version}:tar.gz:all`
const startMs = 90_000

/** A schema registry that people run: Apicurio, with the interface of Confluent's, in memory. */
export interface Apicurio {
  /** With the path of the interface. */
  url: string
  /** Sets the compatibility level of all subjects; without it every schema is taken. */
  setLevel: (level: string) => Promise<void>
  stop: () => Promise<void>
}

/** Starts the registry on a free port, fetched by Maven the first time. It ends with the test. */
export async function startApicurio(t: Cleanup): Promise<Apicurio> {
  const folder = await program()
  const port = await freePort()
  const child = spawn(
    'java',
    ['-Xmx384m', '-XX:+UseSerialGC', '-jar', join(folder, `apicurio-registry-app-${version}-runner.jar`)],
    {
      env: { ...javaEnvironment(), QUARKUS_HTTP_HOST: '127.0.0.1', QUARKUS_HTTP_PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const stop = async () => {
    child.kill('SIGKILL') // it keeps nothing
    await ended
  }
  t.after(stop)
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  await until('the registry answers', () => answers(url), startMs)
  return {
    url,
    async setLevel(level) {
      const headers = { 'content-type': 'application/json' }
      const body = JSON.stringify({ compatibility: level })
      const answer = await request(`${url}/config`, { method: 'PUT', headers, body })
      await answer.body.dump()
      if (answer.statusCode !== 200) throw new Error(`The level was not set: ${answer.statusCode}.`)
    },
    stop,
  }
}

/** The folder with the program, in the user's cache: there whole, or not at all. */
async function program(): Promise<string> {
  const folder = join(cacheDirectory(), `apicurio-${version}`)
  if (existsSync(folder)) return folder
  await mkdir(cacheDirectory(), { recursive: true })
  const download = await mkdtemp(`${folder}.download-`)
  try {
    // Of this version: it takes the file alone, whose parent is in no public repository, to where it is told.
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:2.8:get'
    const archive = join(download, 'all.tar.gz')
    const words = [goal, '-Dtransitive=false', `-Dartifact=${artifact}`, `-Ddest=${archive}`]
    await run('mvn', ['-B', '-q', ...words], { env: javaEnvironment() })
    await run('tar', ['xzf', archive, '-C', download])
    await rm(archive)
    await rename(download, folder)
  } catch (error) {
    await rm(download, { recursive: true, force: true })
    if (!existsSync(folder)) throw error
  }
  return folder
}

async function answers(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`${url}/subjects`)
    await body.dump()
    return statusCode === 200
  } catch {
    return false // it does not listen yet
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
