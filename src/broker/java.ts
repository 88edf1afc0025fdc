import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { javaEnvironment, javaHome } from '../config/java-environment.ts'
import { noBroker } from './errors.ts'

const oldestJava = 17

/** The `java` to run Kafka with: that of JAVA_HOME, else that on the PATH, whichever is new enough. */
export async function findJava(): Promise<string> {
  const home = javaHome()
  const candidates = home === undefined ? ['java'] : [join(home, 'bin', 'java'), 'java']
  let tooOld: string | undefined
  for (const java of candidates) {
    const version = await majorVersion(java)
    if (version !== null && version >= oldestJava) return java
    if (version !== null) tooOld ??= `${java} is version ${version}`
  }
  const need = `The embedded Kafka broker needs Java ${oldestJava} or newer`
  throw tooOld === undefined
    ? noBroker('java_missing', `${need}, and no java was found in JAVA_HOME or on the PATH.`)
    : noBroker('java_too_old', `${need}; ${tooOld}.`)
}

async function majorVersion(java: string): Promise<number | null> {
  try {
    const { stdout, stderr } = await promisify(execFile)(java, ['-XX:-UsePerfData', '-version'], {
      env: javaEnvironment(),
    })
    return parseJavaVersion(stderr + stdout)
  } catch {
    // Not there, or not a Java that runs: the next candidate decides.
    return null
  }
}

/** The major version in the answer of `java -version`; before 9 it was written `1.8`. Null when there is none. */
export function parseJavaVersion(answer: string): number | null {
  const [, major] = /version "(?:1\.)?(\d+)/.exec(answer) ?? []
  return major === undefined ? null : Number(major)
}
