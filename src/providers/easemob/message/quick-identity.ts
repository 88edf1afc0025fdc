import { CanonicalScan } from '../../canonical-scan.ts'
import type { MemberVisitor } from '../../json-walk.ts'
import type { Identity } from '../../provider.ts'

/**
 * Files a record of the documented form without parsing it: `payload` an object with a list of bodies, the id a text,
 * nothing recalled or edited. The answer is that of `identifyParsed`; null where the form is another, and the
 * parser has to say.
 */
export function quickIdentity(record: Buffer): Identity | null {
  if (!scan.load(record)) return null
  outer.begin()
  payload.begin()
  const end = scan.members(0, outer)
  if (end < 0 || scan.space(end) < record.length) return null
  const { messageId, sentAt } = outer
  if (messageId === null || sentAt === null || payload.bodies.isMissing) return null
  const from = scan.length
  // The list whose canonical text `identifyParsed` takes; the last four of it say nothing here.
  scan.add('[')
  outer.chatType.addAgain()
  scan.add(',')
  payload.bodies.addAgain()
  scan.add(',')
  payload.ext.addAgain(true)
  scan.add(',null,null,null,null]')
  const fingerprint = scan.fingerprint(from)
  return fingerprint && { messageId, fingerprint, sentAt }
}

const scan = new CanonicalScan()

/** A value of which the canonical text was gathered, to be added where it belongs. */
class Gathered {
  #from = -1
  #to = -1

  begin(): void {
    this.#from = -1
  }

  get isMissing(): boolean {
    return this.#from < 0
  }

  /** Keeps what was gathered from `from` on, up to now; -1 where the member stands twice. */
  keep(from: number, end: number): number {
    if (!this.isMissing) return -1
    this.#from = from
    this.#to = scan.length
    return end
  }

  /** `null` where there is none; an object without members says as much where `isNullable`. */
  addAgain(isNullable = false): void {
    if (this.isMissing || (isNullable && scan.isGathered(this.#from, this.#to, '{}'))) scan.add('null')
    else scan.addAgain(this.#from, this.#to)
  }
}

/** What stands around the payload. */
class Outer implements MemberVisitor {
  messageId: string | null = null
  sentAt: number | null = null
  readonly chatType = new Gathered()
  #hasPayload = false

  begin(): void {
    this.messageId = null
    this.sentAt = null
    this.chatType.begin()
    this.#hasPayload = false
  }

  member(keyAt: number, keyEnd: number, valueAt: number): number {
    switch (keyEnd - keyAt) {
      case 3:
        return scan.isWord(keyAt, keyEnd, 'ext') ? -1 : scan.skip(valueAt)
      case 6:
        if (scan.isWord(keyAt, keyEnd, 'msg_id')) return this.#takeId(valueAt)
        return scan.isWord(keyAt, keyEnd, 'bodies') ? -1 : scan.skip(valueAt)
      case 7:
        return scan.isWord(keyAt, keyEnd, 'payload') ? this.#takePayload(valueAt) : scan.skip(valueAt)
      case 9:
        if (scan.isWord(keyAt, keyEnd, 'chat_type'))
          return this.chatType.keep(scan.length, scan.write(valueAt))
        if (scan.isWord(keyAt, keyEnd, 'timestamp')) return this.#takeTime(valueAt)
        return scan.isWord(keyAt, keyEnd, 'recall_id') ? -1 : scan.skip(valueAt)
      default:
        return scan.skip(valueAt)
    }
  }

  #takeId(at: number): number {
    const end = scan.skip(at)
    if (this.messageId !== null || end < 0) return -1
    this.messageId = scan.plainText(at, end)
    return this.messageId === null ? -1 : end
  }

  #takeTime(at: number): number {
    const end = scan.skip(at)
    if (this.sentAt !== null || end < 0) return -1
    this.sentAt = scan.wholeNumber(at, end)
    return this.sentAt === null ? -1 : end
  }

  #takePayload(at: number): number {
    if (this.#hasPayload) return -1
    this.#hasPayload = true
    return scan.members(at, payload)
  }
}

/** What stands in the payload. */
class Payload implements MemberVisitor {
  readonly bodies = new Gathered()
  readonly ext = new Gathered()

  begin(): void {
    this.bodies.begin()
    this.ext.begin()
  }

  member(keyAt: number, keyEnd: number, valueAt: number): number {
    switch (keyEnd - keyAt) {
      case 3:
        if (scan.isWord(keyAt, keyEnd, 'ext')) return this.ext.keep(scan.length, scan.write(valueAt))
        break
      case 4:
        if (scan.isWord(keyAt, keyEnd, 'meta')) return -1
        break
      case 6:
        if (scan.isWord(keyAt, keyEnd, 'bodies'))
          return this.bodies.keep(scan.length, scan.writeObjects(valueAt))
        break
      case 14:
        if (scan.isWord(keyAt, keyEnd, 'ack_message_id')) return -1
        break
      case 15:
        if (scan.isWord(keyAt, keyEnd, 'edit_message_id')) return -1
        break
    }
    return scan.skip(valueAt)
  }
}

const outer = new Outer()
const payload = new Payload()
