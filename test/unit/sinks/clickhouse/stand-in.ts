import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Cleanup } from '../../../support/cleanup.ts'

/** What was asked. */
export interface Asked {
  path: string
  /** `user:password`. */
  login: string
  /** The statement: of an insert the parameter `query`, otherwise the body. */
  statement: string
  settings: Record<string, string>
  /** Of an insert. */
  rows: Record<string, unknown>[]
}

/** How a stand-in answers: rows, or a refusal. */
export type Answer = unknown[] | { status: number; exception?: number; words?: string }

/**
 * Speaks ClickHouse's HTTP interface in so far as it notes what it is asked, and answers what it is told: no engine.
 * The real one is in test/stores.
 */
export async function startStandIn(t: Cleanup, answer: (asked: Asked) => Answer) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const url = new URL(request.url ?? '', 'http://stand-in')
      const { query, ...settings } = Object.fromEntries(url.searchParams)
      const { authorization = '' } = request.headers
      const isInsert = query !== undefined
      const one: Asked = {
        path: url.pathname,
        login: Buffer.from(authorization.slice('Basic '.length), 'base64').toString(),
        statement: query ?? body,
        settings,
        rows: isInsert
          ? body
              .split('\n')
              .filter((line) => line !== '')
              .map((line) => JSON.parse(line) as Record<string, unknown>)
          : [],
      }
      asked.push(one)
      const given = answer(one)
      if (Array.isArray(given)) {
        response.end(given.map((row) => `${JSON.stringify(row)}\n`).join(''))
        return
      }
      const { status, exception, words = '' } = given
      response.writeHead(status, exception === undefined ? {} : { 'x-clickhouse-exception-code': exception })
      response.end(words)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  t.after(stop)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/click`, asked, stop }
}
