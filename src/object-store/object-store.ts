import type { Readable } from 'node:stream'

/** What is told of an object without reading it. */
export interface ObjectInfo {
  key: string
  /** Bytes. */
  size: number
}

/**
 * A place for whole files under names: a folder, or a bucket of S3. Keys are `/`-separated segments, none of them
 * empty or beginning with a dot (`checkKey`). Every call throws ChatfeedError `transient` (`object_store`) where the
 * store does not answer or has no room: the same call can succeed later.
 */
export interface ObjectStore {
  /**
   * Writes an object whole, over one of that key: readers see the old one or the new one, never a part, also after a
   * crash. It is safe on the disk when this resolves. An error of `body` is thrown as it is and leaves nothing.
   * `size` is the length of the body in bytes where the caller knows it.
   */
  put(key: string, body: AsyncIterable<Uint8Array>, size?: number): Promise<void>
  /**
   * Writes a small object unless there is one of that key; resolves to whether it was written. Of several who try at
   * the same time, on whatever machines, one succeeds.
   */
  putNew(key: string, body: Uint8Array): Promise<boolean>
  /** The size of an object in bytes; null where there is none. */
  size(key: string): Promise<number | null>
  /** Reads an object. Throws ChatfeedError `message` (`no_object`) where there is none. */
  get(key: string): Promise<Readable>
  /** Every object whose key begins with `prefix` (`''`: all), in the order of keys where the store has one. */
  list(prefix: string): AsyncIterable<ObjectInfo>
  /** Removes an object; one that is not there is removed already. */
  remove(key: string): Promise<void>
  close(): Promise<void>
}

/** How an S3 service is reached and who asks. */
export interface S3Settings {
  /** Absent: Amazon's own for the region. */
  endpoint?: string | undefined
  region?: string | undefined
  accessKeyId?: string | undefined
  secretAccessKey?: string | undefined
}
