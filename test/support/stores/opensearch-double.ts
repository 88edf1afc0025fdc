import {
  createServer,
  type RequestListener,
  type Server,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Cleanup } from '../cleanup.ts'
import { type Reply, SearchModel } from './opensearch-model.ts'

/** A stand-in for a cluster: no real one, but strict, and the same suite passes on both. */
export interface SearchDouble {
  url: string
  model: SearchModel
  /** Calls that were made, `METHOD path`, without queries. */
  calls: string[]
  /** Answers the next calls that fit instead of the model; undefined leaves them to it. */
  answer: ((call: { method: string; path: string; body: string }) => Reply | undefined) | undefined
  /** While it is away, connections are refused. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** Starts a stand-in on 127.0.0.1; it ends with the test. */
export async function startSearchDouble(
  t: Cleanup,
  listen: (listener: RequestListener) => Server = createServer,
): Promise<SearchDouble> {
  const model = new SearchModel()
  const calls: string[] = []
  const server = listen((request, response) => void respond(request, response))
  let port = 0
  const double: SearchDouble = {
    url: '',
    model,
    calls,
    answer: undefined,
    async stop() {
      server.closeAllConnections()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
    async start() {
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      port = (server.address() as AddressInfo).port
    },
  }
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://localhost')
    const { method = 'GET' } = request
    const body = await text(request)
    calls.push(`${method} ${url.pathname}`)
    const reply =
      double.answer?.({ method, path: url.pathname, body }) ?? model.reply(method, url, body, request.headers)
    response.writeHead(reply.status, { 'content-type': reply.type ?? 'application/json; charset=UTF-8' })
    response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body))
  }
  await double.start()
  double.url = `http://127.0.0.1:${port}`
  t.after(() => double.stop())
  return double
}
