import { createRequire } from 'node:module'
import type { Socket } from 'node:net'

type SocketFactory = (options: object) => Socket

const defaultFactory = (
  createRequire(import.meta.url)('kafkajs/src/network/socketFactory') as () => SocketFactory
)()

/**
 * The sockets of one set of connections. kafkajs itself waits for every answer before it closes, half a minute for
 * that of a JoinGroup, and knows nothing of a socket that opens meanwhile: it would keep the process alive.
 */
export class Sockets {
  readonly #sockets = new Set<Socket>()
  #closed = false

  get closed(): boolean {
    return this.#closed
  }

  /** For kafkajs, which takes an exception for a connection that failed. */
  readonly open: SocketFactory = (options) => {
    if (this.#closed) throw new Error('it was closed on this side')
    const socket = defaultFactory(options)
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      // kafkajs calls this again on every later attempt, and each call on a closed socket leaves a listener behind.
      socket.unref = () => socket
    })
    return socket
  }

  /** Ends every socket, and with it every request under way. Resolves when kafkajs knows. */
  async destroy(): Promise<void> {
    const sockets = [...this.#sockets].filter((socket) => !socket.destroyed)
    const closed = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)))
    for (const socket of sockets) socket.destroy(new Error('closed on this side'))
    await Promise.all(closed)
  }

  /** The same for good. */
  async close(): Promise<void> {
    this.#closed = true
    await this.destroy()
  }
}
