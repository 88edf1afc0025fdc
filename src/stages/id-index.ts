const segmentBits = 8
const leastCapacity = 16
/** How full a segment becomes before it grows, and how full it is then. */
const highestLoad = 0.8
const lowestLoad = 0.6

/** Slots of two words: a hash, and the number that is found under it; 0 where the slot is empty. */
interface Segment {
  slots: Uint32Array
  used: number
}

/**
 * From 32-bit hashes, which several may share, to numbers above 0. Open addressing with linear probing, in segments
 * that are resized one by one: neither time nor memory makes a leap.
 */
export class IdIndex {
  /** How many segments there are to `sweep`. */
  static readonly segments = 1 << segmentBits

  readonly #segments: Segment[] = Array.from({ length: IdIndex.segments }, () => segmentFor(0))
  readonly #isSought: (number: number) => boolean

  /** `isSought` tells the number that the caller of `find` looks for from others of the same hash. */
  constructor(isSought: (number: number) => boolean) {
    this.#isSought = isSought
  }

  /** 0 when there is none. */
  find(hash: number): number {
    const { slots } = this.#segments[segmentOf(hash)]!
    for (let slot = home(hash, slots); ; slot = next(slot, slots)) {
      const number = slots[slot + 1]!
      if (number === 0 || (slots[slot] === hash && this.#isSought(number))) return number
    }
  }

  add(hash: number, number: number): void {
    let segment = this.#segments[segmentOf(hash)]!
    if (2 * segment.used >= segment.slots.length * highestLoad) segment = this.#grow(segmentOf(hash))
    put(segment, hash, number)
  }

  #grow(index: number): Segment {
    const { slots, used } = this.#segments[index]!
    const grown = segmentFor(used)
    for (let slot = 0; slot < slots.length; slot += 2)
      if (slots[slot + 1] !== 0) put(grown, slots[slot]!, slots[slot + 1]!)
    return (this.#segments[index] = grown)
  }

  /** Takes those numbers out of a segment that are not to be kept, and gives it the size of what is left. */
  sweep(index: number, keep: (number: number) => boolean): void {
    const { slots, used } = this.#segments[index]!
    const kept: number[] = []
    for (let slot = 0; slot < slots.length; slot += 2) {
      const number = slots[slot + 1]!
      if (number !== 0 && keep(number)) kept.push(slot)
    }
    if (kept.length === used) return
    const swept = segmentFor(kept.length)
    for (const slot of kept) put(swept, slots[slot]!, slots[slot + 1]!)
    this.#segments[index] = swept
  }
}

function segmentFor(numbers: number): Segment {
  return {
    slots: new Uint32Array(2 * Math.max(leastCapacity, Math.ceil((numbers + 1) / lowestLoad))),
    used: 0,
  }
}

function segmentOf(hash: number): number {
  return hash >>> (32 - segmentBits)
}

/** Spreads the bits that did not choose the segment over any number of slots. */
function home(hash: number, slots: Uint32Array): number {
  const range = 2 ** (32 - segmentBits)
  return 2 * Math.floor(((hash % range) * (slots.length / 2)) / range)
}

function next(slot: number, slots: Uint32Array): number {
  return slot + 2 === slots.length ? 0 : slot + 2
}

function put(segment: Segment, hash: number, number: number): void {
  const { slots } = segment
  let slot = home(hash, slots)
  while (slots[slot + 1] !== 0) slot = next(slot, slots)
  slots[slot] = hash
  slots[slot + 1] = number
  segment.used++
}
