import type { Message } from '../../../model.ts'

/** How messages become the bytes of a file. */
export interface FileFormat {
  /** Of file names, without the dot. */
  extension: string
  begin(): FileEncoder
}

/** The bytes of one file, in the order of its messages. */
export interface FileEncoder {
  add(message: Message): void
  /** Bytes of the file so far, those included that are still held; an estimate where they are not made yet. */
  readonly size: number
  /** What is ready and was not taken before; empty where there is nothing. */
  take(): Uint8Array
  /** What is left: afterwards the file is whole. */
  end(): Uint8Array
}
