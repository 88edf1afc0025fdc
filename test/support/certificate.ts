import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from './chatfeed.ts'
import type { Cleanup } from './cleanup.ts'

/** A certificate for 127.0.0.1 that nobody has signed. */
export interface Certificate {
  /** Certificate and key, for a server. */
  pfx: Buffer
  passphrase: string
  /** PEM, for those who are to trust it. */
  ca: string
}

/** Makes a certificate with the tool that comes with Java. */
export function makeCertificate(t: Cleanup): Certificate {
  const file = join(temporaryFolder(t), 'key.p12')
  const passphrase = 'invented'
  const store = ['-keystore', file, '-storepass', passphrase, '-alias', 'key']
  const subject = ['-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1']
  const run = (...words: string[]) => execFileSync('keytool', words, { encoding: 'utf8', stdio: 'pipe' })
  run('-genkeypair', '-keyalg', 'RSA', '-storetype', 'PKCS12', ...subject, ...store)
  return { pfx: readFileSync(file), passphrase, ca: run('-exportcert', '-rfc', ...store) }
}
