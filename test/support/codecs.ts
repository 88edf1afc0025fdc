import { avroCodec, type Codec } from '../../src/avro.ts'
import { Codecs } from '../../src/codecs.ts'
import { registryNeeded, WriterSchemas } from '../../src/writer-schemas.ts'

/** Codecs as they are without a registry. */
export const codecs = new Codecs()

export const {
  rawMessage: rawMessageCodec,
  message: messageCodec,
  ledgerEntry: ledgerCodec,
  unreadCount: unreadCodec,
} = codecs

/** A codec of any schema, as it is without a registry and without former schemas. */
export function codecOf<T>(schema: string): Codec<T> {
  return avroCodec<T>(schema, { writers: new WriterSchemas([], registryNeeded) })
}
