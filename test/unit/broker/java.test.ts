import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { findJava, parseJavaVersion } from '../../../src/broker/java.ts'

test('the major version is read from old and new answers of java -version', () => {
  assert.equal(parseJavaVersion('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment'), 17)
  assert.equal(parseJavaVersion('java version "1.8.0_391"'), 8)
  assert.equal(parseJavaVersion('openjdk version "25-ea" 2025-09-16'), 25)
  assert.equal(parseJavaVersion('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21" 2023-09-19'), 21)
  assert.equal(parseJavaVersion('bash: java: not found'), null)
})

test('without Java there is one message that names the three ways out', async (t) => {
  setJava(t, { onPath: null, inHome: null })
  await assert.rejects(findJava(), (error: Error & { code: string; mend: string }) => {
    assert.equal(error.code, 'java_missing')
    assert.match(error.message, /Java 17 or newer/)
    assert.match(error.mend, /install Java 17 or newer and Maven.*kafka\.brokers.*docker compose up/)
    return true
  })
})

test('a Java that is too old is named with its version', async (t) => {
  setJava(t, { onPath: 11, inHome: null })
  await assert.rejects(findJava(), { code: 'java_too_old', message: /java is version 11/ })
})

test('JAVA_HOME comes first, and the PATH serves where JAVA_HOME is too old or empty', async (t) => {
  const { home } = setJava(t, { onPath: 17, inHome: 21 })
  assert.equal(await findJava(), join(home, 'bin', 'java'))
  setJava(t, { onPath: 17, inHome: 11 })
  assert.equal(await findJava(), 'java')
  setJava(t, { onPath: 17, inHome: null })
  assert.equal(await findJava(), 'java')
})

/** Puts pretended Javas of these versions, or none, on the PATH and into JAVA_HOME. */
function setJava(
  t: TestContext,
  versions: { onPath: number | null; inHome: number | null },
): { home: string } {
  const root = mkdtempSync(join(tmpdir(), 'chatfeed-java-'))
  const home = join(root, 'home')
  const { PATH, JAVA_HOME } = process.env
  t.after(() => {
    rmSync(root, { recursive: true })
    process.env['PATH'] = PATH
    if (JAVA_HOME === undefined) delete process.env['JAVA_HOME']
    else process.env['JAVA_HOME'] = JAVA_HOME
  })
  place(join(root, 'path'), versions.onPath)
  place(join(home, 'bin'), versions.inHome)
  process.env['PATH'] = join(root, 'path')
  process.env['JAVA_HOME'] = home
  return { home }
}

function place(directory: string, version: number | null): void {
  mkdirSync(directory, { recursive: true })
  if (version === null) return
  writeFileSync(join(directory, 'java'), `#!/bin/sh\necho 'openjdk version "${version}.0.1"' >&2\n`)
  chmodSync(join(directory, 'java'), 0o755)
}
