import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const timeoutMs = 2000
const pauseMs = 50

/**
 * Asks the Kafka on this port of 127.0.0.1 who it is, with a Metadata request for no topic.
 * @returns the cluster id once the broker serves clients; null while nobody answers, or something that is not Kafka.
 */
export function clusterIdAt(port: number): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let answer = Buffer.alloc(0)
    const end = (clusterId: string | null): void => {
      socket.destroy()
      resolve(clusterId)
    }
    socket.setTimeout(timeoutMs, () => {
      end(null)
    })
    socket.once('error', () => {
      end(null)
    })
    socket.once('close', () => {
      end(null)
    })
    socket.once('connect', () => socket.write(metadataRequest()))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0)) end(clusterIdIn(answer))
    })
  })
}

/** Waits until the broker with this cluster id serves clients on the port; false when `giveUp` says so first. */
export async function untilServing(
  port: number,
  clusterId: string | null,
  giveUp: () => boolean,
): Promise<boolean> {
  while (!giveUp()) {
    const answer = await clusterIdAt(port)
    if (answer !== null && answer === clusterId) return true
    await sleep(pauseMs)
  }
  return false
}

/** Metadata, version 4: header (api key, version, correlation id, client id), no topics, no topic creation. */
function metadataRequest(): Buffer {
  const clientId = 'chatfeed'
  const body = Buffer.alloc(4 + 2 + 2 + 4 + 2 + clientId.length + 4 + 1)
  let at = body.writeInt32BE(body.length - 4, 0)
  at = body.writeInt16BE(3, at)
  at = body.writeInt16BE(4, at)
  at = body.writeInt32BE(1, at)
  at = body.writeInt16BE(clientId.length, at)
  body.write(clientId, at, 'latin1')
  return body
}

/** Reads the answer: size, correlation id, throttle time, brokers (id, host, port, rack), cluster id. */
function clusterIdIn(answer: Buffer): string | null {
  let at = 12
  const readInt32 = (): number => {
    at += 4
    return answer.readInt32BE(at - 4)
  }
  const readString = (): string | null => {
    const length = answer.readInt16BE(at)
    const start = at + 2
    at = start + Math.max(length, 0)
    return length < 0 ? null : answer.toString('utf8', start, at)
  }
  try {
    const brokers = readInt32()
    for (let broker = 0; broker < brokers; broker++) {
      readInt32()
      readString()
      readInt32()
      readString()
    }
    return brokers > 0 ? readString() : null
  } catch {
    // Shorter than it says: this is not Kafka.
    return null
  }
}
