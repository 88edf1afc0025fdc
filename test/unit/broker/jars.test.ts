import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { kafkaJars, kafkaVersion } from '../../../src/broker/jars.ts'

const putsJar =
  'for word in "$@"; do case "$word" in -DoutputDirectory=*) touch "${word#*=}/kafka.jar";; esac; done'

test('Kafka is downloaded once and then found without Maven', async (t) => {
  const { cache } = setMaven(t, putsJar)
  const progress: string[] = []
  const jars = await kafkaJars({ onProgress: (text) => progress.push(text) })
  assert.deepEqual(readdirSync(jars), ['kafka.jar'])
  assert.deepEqual(progress, [`downloading Kafka ${kafkaVersion()} (once)…`])
  setMaven(t, null, cache)
  assert.equal(await kafkaJars({}), jars)
})

test('two downloads at the same time end in one whole folder', async (t) => {
  const { cache } = setMaven(t, putsJar)
  const [one, other] = await Promise.all([kafkaJars({}), kafkaJars({})])
  assert.equal(one, other)
  assert.equal(readdirSync(join(cache, 'chatfeed')).length, 1)
  assert.deepEqual(readdirSync(one), ['kafka.jar'])
})

test('without Maven the message names the three ways out', async (t) => {
  setMaven(t, null)
  await assert.rejects(kafkaJars({}), {
    code: 'maven_missing',
    remedy: 'fatal',
    mend: /install Java 17 or newer and Maven.*kafka\.brokers.*docker compose up/,
  })
})

test('a download that fails shows the reason that Maven gave, and leaves nothing in the cache', async (t) => {
  const { cache } = setMaven(t, `${putsJar}; echo "[ERROR] "; echo "[ERROR] Unknown host central"; exit 1`)
  await assert.rejects(kafkaJars({}), {
    code: 'kafka_download_failed',
    message: 'Maven could not download Kafka: Unknown host central',
    mend: /docker compose up/,
  })
  assert.deepEqual(readdirSync(join(cache, 'chatfeed')), [])
})

test('a download that is no longer wanted ends, and leaves nothing in the cache', async (t) => {
  const { cache } = setMaven(t, `${putsJar}; exec sleep 60`)
  const stop = new AbortController()
  const jars = kafkaJars({ signal: stop.signal })
  stop.abort(new Error('enough'))
  await assert.rejects(jars, /enough/)
  assert.deepEqual(readdirSync(join(cache, 'chatfeed')), [])
})

/** Puts a pretended Maven that runs this script, or none, on the PATH, and the cache into a folder of its own. */
function setMaven(t: TestContext, script: string | null, cacheBefore?: string): { cache: string } {
  const root = mkdtempSync(join(tmpdir(), 'chatfeed-maven-'))
  const { PATH, XDG_CACHE_HOME } = process.env
  t.after(() => {
    rmSync(root, { recursive: true })
    process.env['PATH'] = PATH
    if (XDG_CACHE_HOME === undefined) delete process.env['XDG_CACHE_HOME']
    else process.env['XDG_CACHE_HOME'] = XDG_CACHE_HOME
  })
  const cache = cacheBefore ?? join(root, 'cache')
  process.env['XDG_CACHE_HOME'] = cache
  process.env['PATH'] = join(root, 'path')
  mkdirSync(join(root, 'path'))
  if (script !== null) {
    const systemPath = ['/usr/bin', '/bin'].join(delimiter)
    writeFileSync(join(root, 'path', 'mvn'), `#!/bin/sh\nPATH=${systemPath}\n${script}\n`)
    chmodSync(join(root, 'path', 'mvn'), 0o755)
  }
  return { cache }
}
