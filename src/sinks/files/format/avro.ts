import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { schemaText } from '../../../avro.ts'
import { AvroWriter } from '../../../avro-writer.ts'
import { Codecs } from '../../../codecs.ts'
import type { Message } from '../../../model.ts'
import type { FileEncoder, FileFormat } from './format.ts'

/** Bytes of a block before they are compressed: readers skip and split by blocks. */
const blockBytes = 256 * 1024
/** Quick: the higher levels cost several times as much for a few percent. */
const level = 1

/** Avro object container files (Avro specification, 1.11) with `schemas/message.avsc`, codec deflate. */
export const avro: FileFormat = { extension: 'avro', begin: () => new AvroEncoder() }

/** The head of a file names the schema, so the values in it have no header. */
const { message: codec } = new Codecs()
const schema = JSON.stringify(JSON.parse(schemaText('message')))

class AvroEncoder implements FileEncoder {
  readonly #sync = randomBytes(16)
  #ready: Buffer[] = [fileHead(this.#sync)]
  #block: Buffer[] = []
  #blockSize = 0
  #made = this.#ready[0]!.length

  get size(): number {
    return this.#made + this.#blockSize
  }

  add(message: Message): void {
    const value = Buffer.from(codec.encode(message).subarray(codec.header.length))
    this.#block.push(value)
    this.#blockSize += value.length
    if (this.#blockSize >= blockBytes) this.#endBlock()
  }

  take(): Uint8Array {
    const bytes = Buffer.concat(this.#ready)
    this.#ready = []
    return bytes
  }

  end(): Uint8Array {
    if (this.#block.length > 0) this.#endBlock()
    return this.take()
  }

  #endBlock(): void {
    const data = deflateRawSync(Buffer.concat(this.#block), { level })
    const head = new AvroWriter(Buffer.alloc(0))
    head.long(this.#block.length)
    head.bytes(data)
    const block = Buffer.concat([head.take(), this.#sync])
    this.#ready.push(block)
    this.#made += block.length
    this.#block = []
    this.#blockSize = 0
  }
}

function fileHead(sync: Buffer): Buffer {
  const head = new AvroWriter(Buffer.from('Obj\x01', 'latin1'))
  const metadata = { 'avro.schema': schema, 'avro.codec': 'deflate' }
  // A map is a block of entries and an empty one behind it, as an array is.
  head.array(Object.entries(metadata), (out, [name, value]) => {
    out.string(name)
    out.bytes(Buffer.from(value))
  })
  head.fixed(sync, sync.length)
  return Buffer.from(head.take())
}
