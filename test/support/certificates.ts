import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A certificate with its key, as PEM texts. */
export interface Identity {
  cert: string
  key: string
}

/** An authority of the test's own, which signs certificates for a day; its files lie in `folder`. */
export class Authority {
  readonly ca: string
  readonly #folder: string
  readonly #name: string

  constructor(folder: string, name: string) {
    this.#folder = folder
    this.#name = name
    const request = ['req', '-x509', ...newKey(`${name}.key`), '-out', `${name}.pem`, '-days', '1']
    this.#openssl(...request, '-subj', `/CN=${name}`)
    this.ca = this.#read(`${name}.pem`)
  }

  /** For 127.0.0.1. */
  sign(name: string): Identity {
    writeFileSync(join(this.#folder, `${name}.ext`), 'subjectAltName=IP:127.0.0.1\n')
    this.#openssl('req', '-new', ...newKey(`${name}.key`), '-out', `${name}.csr`, '-subj', `/CN=${name}`)
    const authority = ['-CA', `${this.#name}.pem`, '-CAkey', `${this.#name}.key`, '-CAcreateserial']
    const out = ['-out', `${name}.pem`, '-days', '1', '-extfile', `${name}.ext`]
    this.#openssl('x509', '-req', '-in', `${name}.csr`, ...authority, ...out)
    return { cert: this.#read(`${name}.pem`), key: this.#read(`${name}.key`) }
  }

  #read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8')
  }

  #openssl(...parameters: string[]): void {
    execFileSync('openssl', parameters, { cwd: this.#folder, stdio: 'pipe' })
  }
}

const newKey = (file: string) => [
  ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
  ...['-keyout', file],
]
