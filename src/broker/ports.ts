import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

// Below the range from which systems take ports for outgoing connections: none of those can get in the way
// between two starts, and a client that tries a closed port cannot by chance connect to itself.
const lowest = 20_000
const highest = 32_000

/** A port that is free on 127.0.0.1, `preferred` if possible. Someone else can still take it before it is used. */
export async function freePort(preferred?: number): Promise<number> {
  if (preferred !== undefined && (await isFree(preferred))) return preferred
  for (;;) {
    const port = randomInt(lowest, highest)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      server.close(() => {
        resolve(true)
      })
    })
  })
}
