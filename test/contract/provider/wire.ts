/** HTTP on loopback before an app: keeps what is asked and answered, and spoils, holds back or cuts what a test wants. */
import { once as event } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import type { Hono } from 'hono'

/** A request as it came. */
export interface Asked {
  method: string
  /** Path and query, to the byte. */
  path: string
  headers: IncomingHttpHeaders
  body: string
}

/** What goes back for it. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: Buffer
  cut?: Cut
}

/** How an answer comes to an early end. */
export interface Cut {
  /** Bytes of the body that still go out; -1: not even the status. */
  at: number
  /** How the end of the whole would be known; with `close` a cut is an end like any other. */
  framing: 'length' | 'chunks' | 'close'
  /** `silence`: the connection stays and nothing more comes. */
  then: 'break' | 'silence'
}

/** Changes an answer before it goes out. */
export type Tamper = (asked: Asked, answer: Answer) => Answer

/** A server that a test looks through. */
export interface Wire {
  url: string
  /** Everything asked and answered, in order. */
  exchanges: { asked: Asked; answer: Answer }[]
  /** Requests whose answer has not come to an end. */
  pending(): number
  /** Connections of clients. */
  sockets(): number
  /** From now on nobody listens. */
  close(): void
}

/** Serves `app` on a free port until the test ends. */
export async function openWire(
  t: TestContext,
  app: Hono,
  tamper: Tamper = (_asked, answer) => answer,
): Promise<Wire> {
  const exchanges: Wire['exchanges'] = []
  const sockets = new Set<object>()
  let pending = 0
  const server = createServer((incoming, outgoing) => {
    pending++
    outgoing.on('close', () => pending--)
    const { method = '', url: path = '', headers } = incoming
    const respond = async (): Promise<void> => {
      const body = await buffer(incoming)
      const asked = { method, path, headers, body: body.toString() }
      const request = new Request(`http://${headers.host}${path}`, {
        method,
        headers: Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)]),
        body: method === 'GET' ? null : body,
      })
      const response = await app.fetch(request, { incoming, outgoing })
      const answer = tamper(asked, {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        body: Buffer.from(await response.arrayBuffer()),
      })
      exchanges.push({ asked, answer })
      send(outgoing, answer)
    }
    respond().catch((error: unknown) => outgoing.destroy(error as Error))
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await event(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = (): void => {
    server.close()
    server.closeAllConnections()
  }
  t.after(close)
  return {
    url: `http://127.0.0.1:${port}`,
    exchanges,
    pending: () => pending,
    sockets: () => sockets.size,
    close,
  }
}

function send(outgoing: ServerResponse, { status, headers, body, cut }: Answer): void {
  const end = (): void => {
    if (cut?.then === 'silence') return
    if (cut?.framing === 'close') outgoing.end()
    else outgoing.destroy()
  }
  outgoing.sendDate = false
  if (cut && cut.at < 0) {
    if (cut.then === 'break') outgoing.destroy()
    return
  }
  for (const [name, value] of Object.entries(headers)) {
    if (!['content-length', 'transfer-encoding', 'connection'].includes(name)) outgoing.setHeader(name, value)
  }
  if (cut?.framing === 'close') {
    outgoing.shouldKeepAlive = false
    outgoing.useChunkedEncodingByDefault = false
    outgoing.removeHeader('transfer-encoding')
  } else if (cut?.framing !== 'chunks') outgoing.setHeader('content-length', body.length)
  outgoing.statusCode = status
  if (!cut) outgoing.end(body)
  else if (cut.at === 0) {
    outgoing.flushHeaders()
    setImmediate(end)
  } else outgoing.write(body.subarray(0, cut.at), end)
}

/** Changes the answer to the n-th request, counted from 0, and no other. */
export function once(index: number, change: (answer: Answer, asked: Asked) => Answer): Tamper {
  let count = 0
  return (asked, answer) => (count++ === index ? change(answer, asked) : answer)
}
