/** What dedup says of a record: `new` content, a `repeat`, or a `stale` copy of an id that moved on. */
export type Verdict = 'new' | 'repeat' | 'stale'

interface Seen {
  /** Accepted fingerprints, 16 latin1 characters each, one after the other. */
  fingerprints: string
  /** The newest: more than there are fingerprints where retention took the first ones away before a restart. */
  revision: number
  /** fetchedAt of the newest accepted copy. */
  fetchedAt: number
  acceptedAt: number
}

const fingerprintLength = 16

/** The ids accepted within the window, in the order of their last acceptance. */
export class SeenMessages {
  readonly #windowMs: number
  readonly #ids = new Map<string, Seen>()

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  get size(): number {
    return this.#ids.size
  }

  judge(id: string, fingerprint: Buffer, fetchedAt: number): Verdict {
    const seen = this.#ids.get(id)
    if (!seen) return 'new'
    if (holds(seen.fingerprints, fingerprint.toString('latin1'))) return 'repeat'
    return fetchedAt < seen.fetchedAt ? 'stale' : 'new'
  }

  /** Remembers a content and returns its revision: the one given, else the next, from 1. */
  accept(id: string, fingerprint: Buffer, fetchedAt: number, acceptedAt: number, known?: number): number {
    const seen = this.#ids.get(id)
    const revision = known ?? (seen?.revision ?? 0) + 1
    const fingerprints = (seen?.fingerprints ?? '') + fingerprint.toString('latin1')
    // Insertion order is the order of acceptance, so the oldest are found at the front.
    if (seen) this.#ids.delete(id)
    const newest = Math.max(fetchedAt, seen?.fetchedAt ?? 0)
    this.#ids.set(id, { fingerprints, revision, fetchedAt: newest, acceptedAt })
    return revision
  }

  /** Drops ids whose last acceptance has left the window. */
  forgetOld(nowMs: number): void {
    for (const [id, seen] of this.#ids) {
      if (seen.acceptedAt > nowMs - this.#windowMs) return
      this.#ids.delete(id)
    }
  }
}

function holds(fingerprints: string, fingerprint: string): boolean {
  for (let at = 0; at < fingerprints.length; at += fingerprintLength) {
    if (fingerprints.startsWith(fingerprint, at)) return true
  }
  return false
}
