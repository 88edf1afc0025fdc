import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { question } from '../../src/sandbox/phrases.ts'
import { Random } from '../../src/sandbox/random.ts'
import type { Cleanup } from '../support/cleanup.ts'

interface Written {
  id: string
  writtenAt: number
  /** When an answer that has it was first sent. */
  shownAt: number | null
  content: string
}

/**
 * A simulated Polyv channel where somebody writes at an even pace from `begin` on: the sandbox's days have been full
 * before, and its own work would stand in the measurement. Answers the endpoint v2-history, page by page.
 */
export class LiveChannel {
  readonly #perSecond: number
  readonly #random = new Random('delay')
  readonly #written: Written[] = []
  readonly #byId = new Map<string, Written>()
  #pace: { begunAt: number; from: number; to: number } | null = null
  #baseUrl = ''

  static async open(t: Cleanup, perSecond: number): Promise<LiveChannel> {
    const channel = new LiveChannel(perSecond)
    const server = createServer((request, response) => {
      channel.#answer(request, response)
    })
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    t.after(() => {
      server.close()
      server.closeAllConnections()
    })
    channel.#baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return channel
  }

  private constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  /** A `sources:` entry that reads it. */
  sourceConfig(pollEveryMs: number): Record<string, unknown> {
    return {
      name: 'bench',
      provider: 'polyv',
      baseUrl: this.#baseUrl,
      appId: 'bench',
      appSecret: 'nothing',
      channels: ['2477096'],
      statuses: ['pass'],
      scopes: ['public'],
      since: '1m',
      pollEvery: `${pollEveryMs / 1_000}s`,
      lookAgain: [],
      ratePer10s: 1_500,
    }
  }

  /** From now on so many messages are written, the first at once. */
  begin(messages: number): void {
    const from = this.#written.length
    this.#pace = { begunAt: Date.now(), from, to: from + messages }
  }

  /** When a message was written and shown, epoch ms. Throws where it was not shown. */
  timesOf(id: string): { writtenAt: number; shownAt: number } {
    const { writtenAt, shownAt } = this.#byId.get(id) ?? {}
    if (writtenAt === undefined || shownAt == null)
      throw new Error(`WRONG RESULT: message ${id} was not shown`)
    return { writtenAt, shownAt }
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.#writeUntil(Date.now())
    const params = new URL(request.url ?? '/', this.#baseUrl).searchParams
    const from = timeOf(params.get('startDay'))
    const to = timeOf(params.get('endDay')) + 1_000
    const listed = this.#written.filter(({ writtenAt }) => writtenAt >= from && writtenAt < to)
    const size = Number(params.get('limit'))
    const shown = listed.slice((Number(params.get('page')) - 1) * size).slice(0, size)
    const body = JSON.stringify({ code: 200, status: 'success', message: '', data: shown.map(item) })
    response.setHeader('content-type', 'application/json;charset=utf-8')
    response.end(body)
    for (const message of shown) message.shownAt ??= Date.now()
  }

  /** Writes what is due: message n at n / pace after the beginning. */
  #writeUntil(nowMs: number): void {
    if (this.#pace === null) return
    const { begunAt, from, to } = this.#pace
    while (this.#written.length < to) {
      const writtenAt = begunAt + Math.floor(((this.#written.length - from) * 1_000) / this.#perSecond)
      if (writtenAt > nowMs) return
      const message = { id: randomUUID(), writtenAt, shownAt: null, content: question(this.#random) }
      this.#written.push(message)
      this.#byId.set(message.id, message)
    }
  }
}

function item({ id, writtenAt, content }: Written): object {
  const user = { nick: '林月', userId: 'lin.yue', userType: 'student', roomId: '2477096', banned: false }
  const place = { roomId: '2477096', sessionId: '', sourceType: 'public', accountId: 'bench' }
  return { id, time: writtenAt, content, msgType: 'speak', event: '', status: 'pass', ...place, user }
}

/** `yyyy-MM-dd HH:mm:ss` at UTC+8. */
const timeOf = (text: string | null): number => Date.parse(`${(text ?? '').replace(' ', 'T')}+08:00`)
