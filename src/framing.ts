import type avsc from 'avsc'

const emptyCrc = 0xc15d213aa4d7a795n

const crcTable = Array.from({ length: 256 }, (_, index) => {
  let crc = BigInt(index)
  for (let bit = 0; bit < 8; bit++) crc = (crc >> 1n) ^ (crc & 1n ? emptyCrc : 0n)
  return crc
})

/** CRC-64-AVRO (Avro specification, schema fingerprints). */
export function crc64(bytes: Buffer): bigint {
  let crc = emptyCrc
  for (const byte of bytes) crc = (crc >> 8n) ^ crcTable[Number((crc ^ BigInt(byte)) & 0xffn)]!
  return crc
}

/** Length of the single-object header: 0xC3 0x01 and the CRC-64-AVRO fingerprint of the writer schema, little-endian. */
export const headerBytes = 10

/** Length of the header in Confluent's wire format: 0x00 and the id of the writer schema, big-endian. */
export const idHeaderBytes = 5

/** The parsing canonical form: two schemas that share it write the same bytes. */
export const canonicalText = (type: avsc.Type): string => JSON.stringify(type.schema())

/** What values of this schema begin with in Avro single-object encoding. */
export function singleObjectHeader(type: avsc.Type): Buffer {
  const header = Buffer.allocUnsafe(headerBytes)
  header.writeUInt16BE(0xc301, 0)
  header.writeBigUInt64LE(crc64(Buffer.from(canonicalText(type))), 2)
  return header
}

/** What values begin with whose schema a registry knows by this id (Confluent documentation, wire format). */
export function idHeader(id: number): Buffer {
  const header = Buffer.alloc(idHeaderBytes)
  header.writeUInt32BE(id, 1)
  return header
}

/** The schema id that a value names; undefined where it is not in Confluent's wire format. */
export function idIn(bytes: Buffer): number | undefined {
  return bytes.length >= idHeaderBytes && bytes[0] === 0 ? bytes.readUInt32BE(1) : undefined
}

/** The fingerprint that a value names; undefined where it is not in single-object encoding. */
export function fingerprintIn(bytes: Buffer): bigint | undefined {
  const isFramed = bytes.length >= headerBytes && bytes[0] === 0xc3 && bytes[1] === 0x01
  return isFramed ? bytes.readBigUInt64LE(2) : undefined
}
