import { type AvroReader, RepeatedString } from './avro-reader.ts'
import type { AvroWriter } from './avro-writer.ts'
import type { RawMessage } from './model.ts'

const fingerprintBytes = 16

/** Writes a raw message as `schemas/raw-message.avsc` has it. */
export function writeRawMessage(out: AvroWriter, raw: RawMessage): void {
  out.int(raw.revision)
  out.string(raw.id)
  out.string(raw.provider)
  out.string(raw.source)
  out.string(raw.tenant)
  out.string(raw.origin)
  out.fixed(raw.fingerprint, fingerprintBytes)
  out.someLong(raw.sentAt)
  out.long(raw.fetchedAt)
  out.bytes(raw.payload)
}

const provider = new RepeatedString()
const source = new RepeatedString()
const tenant = new RepeatedString()

/** Reads a raw message as `schemas/raw-message.avsc` has it; its bytes are views. */
export function readRawMessage(input: AvroReader): RawMessage {
  return {
    revision: input.number(),
    id: input.string(),
    provider: input.stringLike(provider),
    source: input.stringLike(source),
    tenant: input.stringLike(tenant),
    origin: input.string(),
    fingerprint: input.fixed(fingerprintBytes),
    sentAt: input.some() ? input.number() : null,
    fetchedAt: input.number(),
    payload: input.bytes(),
  }
}
