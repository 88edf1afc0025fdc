/** The body of a request in ready-made pieces, which take the place of kafkajs' byte writer. */
export class RequestBody {
  readonly parts: readonly Buffer[]

  constructor(...parts: Buffer[]) {
    this.parts = parts
  }

  /** For kafkajs' own way of making a request. */
  get buf(): Buffer {
    return Buffer.concat(this.parts)
  }

  get buffer(): Buffer {
    return this.buf
  }
}

/** kafkajs' byte writer. */
export interface WireEncoder {
  readonly buffer: Buffer
}

/** A request as kafkajs' connection asks for its bytes. */
export interface FramedRequest {
  correlationId: number
  clientId: string | null
  request: { apiKey: number; apiVersion: number; encode(): Promise<WireEncoder | RequestBody> }
}

/**
 * A whole request: size, head and body, copied once into one buffer. kafkajs' own module, in whose place this
 * stands, copies the body twice, into zeroed buffers of up to twice its size.
 */
export async function frameRequest({
  correlationId,
  clientId,
  request,
}: FramedRequest): Promise<{ buffer: Buffer }> {
  const body = await request.encode()
  const parts = body instanceof RequestBody ? body.parts : [body.buffer]
  const client = Buffer.from(clientId ?? '')
  const head = Buffer.allocUnsafe(14 + client.length)
  head.writeInt16BE(request.apiKey, 4)
  head.writeInt16BE(request.apiVersion, 6)
  head.writeInt32BE(correlationId, 8)
  head.writeInt16BE(clientId === null ? -1 : client.length, 12)
  client.copy(head, 14)
  const size = parts.reduce((sum, part) => sum + part.length, head.length)
  head.writeInt32BE(size - 4, 0)
  return { buffer: Buffer.concat([head, ...parts], size) }
}
