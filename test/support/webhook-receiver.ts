import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Cleanup } from './cleanup.ts'

/** A message as it arrives. */
export interface ReceivedMessage {
  id: string
  revision: number
  text: string | null
}

/** One request that arrived. */
export interface ReceivedRequest {
  path: string
  key: string
  headers: IncomingHttpHeaders
  messages: ReceivedMessage[]
  body: string
}

/** What a receiver answers: a status, with headers if need be. */
export type Answer = number | { status: number; headers?: Record<string, string> }

/** A receiver that does what the documentation asks of one: it checks the signature, and keeps each message once. */
export class WebhookReceiver {
  readonly secret = 'Walnut-7-harbour'
  /** Every request, in order, whatever was answered. */
  readonly requests: ReceivedRequest[] = []
  /** By message id, the highest revision. */
  readonly stored = new Map<string, ReceivedMessage>()
  /** Everything accepted, as `id revision`, repeats of a request left out. */
  readonly accepted: string[] = []
  answer: (request: ReceivedRequest) => Answer | Promise<Answer> = () => 204
  readonly #keys = new Set<string>()
  #server: Server | undefined
  #port = 0

  static async start(t: Cleanup): Promise<WebhookReceiver> {
    const receiver = new WebhookReceiver()
    await receiver.listen()
    t.after(() => receiver.stop())
    return receiver
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook`
  }

  /** On the port that it had before. */
  async listen(): Promise<void> {
    this.#server = createServer((request, response) => {
      void text(request).then(async (body) => {
        const { url: path = '', headers } = request
        const given = await this.#receive(path, headers, body)
        const { status, headers: more = {} } = typeof given === 'number' ? { status: given } : given
        response.writeHead(status, more).end(status === 204 ? undefined : 'private words')
      })
    })
    this.#server.listen(this.#port, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#port = (this.#server.address() as AddressInfo).port
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise((resolve) => this.#server?.close(resolve))
  }

  async #receive(path: string, headers: IncomingHttpHeaders, body: string): Promise<Answer> {
    if (body === '') return 405
    assert.ok(this.#isSigned(String(headers['chatfeed-signature']), body), 'the signature fits')
    const key = String(headers['chatfeed-idempotency-key'])
    const request = { path, key, headers, body, messages: JSON.parse(body) as ReceivedMessage[] }
    this.requests.push(request)
    const answer = await this.answer(request)
    const isTaken = typeof answer === 'number' && answer < 300
    if (isTaken && this.#keys.size < this.#keys.add(key).size) this.#take(request.messages)
    return answer
  }

  #isSigned(signature: string, body: string): boolean {
    const { t, v1 } = Object.fromEntries(signature.split(',').map((part) => part.split('='))) as Record<
      string,
      string
    >
    if (t === undefined || v1 === undefined || Math.abs(Date.now() - Number(t)) > 300_000) return false
    const expected = createHmac('sha256', this.secret).update(`${t}.${body}`).digest()
    return timingSafeEqual(expected, Buffer.from(v1, 'hex'))
  }

  #take(messages: readonly ReceivedMessage[]): void {
    for (const message of messages) {
      this.accepted.push(`${message.id} ${message.revision}`)
      if (message.revision > (this.stored.get(message.id)?.revision ?? 0))
        this.stored.set(message.id, message)
    }
  }
}
