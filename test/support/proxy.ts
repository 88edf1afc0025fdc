import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { Cleanup } from './cleanup.ts'

/** Keys of the requests whose answers tests drop. */
export const apiKeys = {
  produce: 0,
  fetch: 1,
  offsetFetch: 9,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const

/**
 * Stands between clients and a broker on loopback, which takes the requests and answers them, whatever becomes of the
 * answers. The broker must advertise the proxy's port to those who come this way.
 */
export class Proxy {
  readonly port: number
  /** Where the broker listens. */
  target = 0
  /** Answers are held back for so long. */
  delayMs = 0
  /** Whether the answer to this request is dropped, and its connection with it; asked once an answer. */
  drops: (apiKey: number) => boolean = () => false
  /** Whether the answer to this request is dropped, and its connection stays open without a word. */
  swallows: (apiKey: number) => boolean = () => false
  /** Whether this request never comes to the broker, on a connection that stays open. */
  holds: (apiKey: number) => boolean = () => false
  readonly #sockets = new Set<Socket>()
  #isCut = false

  private constructor(server: Server) {
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (client) => {
      this.#join(client)
    })
  }

  static async start(t: Cleanup): Promise<Proxy> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const proxy = new Proxy(server)
    t.after(() => {
      proxy.cut()
      server.close()
    })
    return proxy
  }

  /** Ends every connection, and every new one at once, until `heal`. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  heal(): void {
    this.#isCut = false
  }

  #join(client: Socket): void {
    if (this.#isCut) {
      client.destroy()
      return
    }
    const broker = connect(this.target, '127.0.0.1')
    const end = () => {
      for (const socket of [client, broker]) {
        this.#sockets.delete(socket)
        socket.destroy()
      }
    }
    for (const socket of [client, broker]) {
      this.#sockets.add(socket)
      socket.setNoDelay().on('error', end).on('close', end)
    }
    const asked = new Map<number, number>()
    const requests = new Frames((frame) => {
      const apiKey = frame.readInt16BE(4)
      if (this.holds(apiKey)) return
      asked.set(frame.readInt32BE(8), apiKey)
      broker.write(frame)
    })
    client.on('data', (chunk: Buffer) => {
      requests.add(chunk)
    })
    let answered = Promise.resolve()
    const answers = new Frames((frame) => {
      const correlationId = frame.readInt32BE(4)
      const apiKey = asked.get(correlationId) ?? -1
      asked.delete(correlationId)
      if (this.drops(apiKey)) end()
      else if (!this.swallows(apiKey)) answered = answered.then(() => this.#answer(client, frame))
    })
    broker.on('data', (chunk: Buffer) => {
      answers.add(chunk)
    })
  }

  async #answer(client: Socket, frame: Buffer): Promise<void> {
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs))
    if (!client.destroyed) client.write(frame)
  }
}

/** Cuts a stream of bytes into messages, each with the four bytes of its length before it. */
class Frames {
  #bytes = Buffer.alloc(0)
  readonly #onFrame: (frame: Buffer) => void

  constructor(onFrame: (frame: Buffer) => void) {
    this.#onFrame = onFrame
  }

  add(chunk: Buffer): void {
    this.#bytes = this.#bytes.length > 0 ? Buffer.concat([this.#bytes, chunk]) : Buffer.from(chunk)
    while (this.#bytes.length >= 4) {
      const length = 4 + this.#bytes.readInt32BE(0)
      if (this.#bytes.length < length) return
      const frame = this.#bytes.subarray(0, length)
      this.#bytes = this.#bytes.subarray(length)
      this.#onFrame(frame)
    }
  }
}
