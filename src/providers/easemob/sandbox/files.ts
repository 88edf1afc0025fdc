import { createHmac } from 'node:crypto'
import { dotPng } from '../../../sandbox/dot-png.ts'
import { Random } from '../../../sandbox/random.ts'

/** An attachment of the sandbox. */
export interface SandboxFile {
  uuid: string
  /** What opens it without a token. */
  secret: string
  contentType: string
  bytes: Buffer
  /** The provider forgot it: files live shorter than messages. */
  expired: boolean
}

/**
 * The sandbox's attachments. A uuid carries everything and its own proof, so that any process with the same seed
 * serves every file without having made it.
 */
export class SandboxFiles {
  readonly #seed: number

  constructor(seed: number) {
    this.#seed = seed
  }

  create(random: Random, type: 'picture' | 'other'): SandboxFile {
    const digits = (type === 'picture' ? 'a' : 'b') + random.text(19)
    return this.#file(digits + this.#proof(digits))
  }

  /** Null for a uuid that `create` never gave. */
  find(uuid: string): SandboxFile | null {
    const digits = uuid.replaceAll('-', '')
    return digits.length === 32 && digits.slice(20) === this.#proof(digits.slice(0, 20))
      ? this.#file(digits)
      : null
  }

  #file(digits: string): SandboxFile {
    const random = new Random(this.#seed, digits)
    const isPicture = digits.startsWith('a')
    return {
      uuid: digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
      secret: this.#hmac(`secret ${digits}`).toString('base64url'),
      contentType: isPicture ? 'image/png' : 'application/octet-stream',
      bytes: isPicture ? dotPng : Buffer.from(random.text(random.integer(200, 2000))),
      expired: random.chance(0.02),
    }
  }

  #proof(digits: string): string {
    return this.#hmac(digits).toString('hex').slice(0, 12)
  }

  #hmac(text: string): Buffer {
    return createHmac('sha256', String(this.#seed)).update(text).digest()
  }
}
