import { Content, type Verdict } from '../../../src/stages/seen-messages.ts'

/** A content by its id and its fingerprint of 16 bytes. */
export function contentOf(id: string, fingerprint: Buffer): Content {
  const content = new Content()
  const bytes = Buffer.from(id)
  content.of(bytes, 0, bytes.length, fingerprint, 0)
  return content
}

/** What SeenMessages does, in the plainest way: the model that it is checked against. */
export class SeenByMap {
  readonly #windowMs: number
  readonly #ids = new Map<
    string,
    { contents: Set<string>; revision: number; fetchedAt: number; acceptedAt: number }
  >()

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  get size(): number {
    return this.#ids.size
  }

  judge(id: string, fingerprint: Buffer, fetchedAt: number): Verdict {
    const seen = this.#ids.get(id)
    if (!seen) return 'new'
    if (seen.contents.has(fingerprint.toString('hex'))) return 'repeat'
    return fetchedAt < seen.fetchedAt ? 'stale' : 'new'
  }

  accept(id: string, fingerprint: Buffer, fetchedAt: number, acceptedAt: number, known?: number): number {
    const seen = this.#ids.get(id)
    const revision = known ?? (seen?.revision ?? 0) + 1
    const contents = new Set(seen?.contents).add(fingerprint.toString('hex'))
    const newest = Math.max(fetchedAt, seen?.fetchedAt ?? 0)
    this.#ids.set(id, { contents, revision, fetchedAt: newest, acceptedAt })
    return revision
  }

  forgetOld(nowMs: number): void {
    for (const [id, { acceptedAt }] of this.#ids)
      if (acceptedAt <= nowMs - this.#windowMs) this.#ids.delete(id)
  }
}
