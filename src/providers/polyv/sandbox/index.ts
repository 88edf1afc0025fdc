import { Hono, type Context } from 'hono'
import { z } from 'zod'
import { stringifyLossless } from '../../canonical.ts'
import { dotPng } from '../../../sandbox/dot-png.ts'
import type { Sandbox, SandboxOptions } from '../../provider.ts'
import { CallLimit, checkCaller, credentials, Refused, sentParams } from './calls.ts'
import { sandboxChannels, SandboxHistory, type SandboxMessage } from './history.ts'
import { Served, spellings, type SandboxItem } from './items.ts'
import { channelInParams, channelInPath, numberParam, selectList, selectSpeeches } from './lists.ts'

const tuning = z.object({
  callsPer10s: z.number().default(1_500),
  banMs: z.number().default(5 * 60_000),
  /** The largest page; whoever asks for more gets nothing, as on the newer endpoint. */
  pageLimit: z.number().default(1_000),
  /**
   * Before the path of every picture and document. It is part of the history, and so must not change from one start to
   * the next.
   */
  imagesBaseUrl: z.string().default('http://127.0.0.1:8790'),
})

type Spelling = (message: SandboxMessage, nowMs: number) => SandboxItem

/**
 * Polyv's five history endpoints and its list of channels, strict about everything the docs name: method,
 * signature over exactly what is sent, timestamp, appId, channel, dates, the name and bound of the page size, and
 * the ban beyond 1500 calls in 10 s. Options: `callsPer10s`, `banMs`,
 * `pageLimit`, `imagesBaseUrl`. The pictures and documents lie open below `/chat` and `/doc`, as on a CDN.
 */
export function createSandbox(options: SandboxOptions): Sandbox {
  const { callsPer10s, banMs, pageLimit, imagesBaseUrl } = tuning.parse(options)
  const history = new SandboxHistory(options.seed, options.messagesPerHour, imagesBaseUrl)
  const limit = new CallLimit(callsPer10s, banMs)
  const served = new Served()
  const app = new Hono()

  const answer =
    (makeData: (params: URLSearchParams, nowMs: number, c: Context) => unknown) => async (c: Context) => {
      const nowMs = options.now()
      c.header('date', new Date(nowMs).toUTCString())
      try {
        limit.count(nowMs)
        const params = await sentParams(c.req.raw)
        checkCaller(params, nowMs, c.req.path)
        const body = { code: 200, status: 'success', message: '', data: makeData(params, nowMs, c) }
        return c.body(stringifyLossless(body), 200, { 'content-type': 'application/json;charset=utf-8' })
      } catch (error) {
        if (!(error instanceof Refused)) throw error
        return c.json({ code: error.code, status: 'error', message: error.message, data: '' }, error.code)
      }
    }

  /** One page of a list, with what there is of it; `items` is null where too large a page was asked for. */
  const page = (
    channel: string,
    sizeParam: string,
    spelling: Spelling,
    params: URLSearchParams,
    nowMs: number,
  ) => {
    const found = selectList(history, channel, params, nowMs)
    const number = numberParam(params, 'page', 1)
    const size = numberParam(params, sizeParam, Math.min(1_000, pageLimit))
    const shown = found.slice((number - 1) * size, number * size).map((message) => spelling(message, nowMs))
    if (size <= pageLimit) served.add(shown, params.get('status') ?? 'pass')
    return { number, size, total: found.length, items: size > pageLimit ? null : shown }
  }

  const inPath = (c: Context): string => channelInPath(c.req.param('channel') ?? '')

  app.on(
    ['GET', 'POST'],
    '/live/v2/chat/:channel/getHistory',
    answer((params, nowMs, c) => page(inPath(c), 'limit', spellings.v2History, params, nowMs).items ?? []),
  )
  app.on(
    ['GET', 'POST'],
    '/live/v2/chat/:channel/getHistoryByPage',
    answer((params, nowMs, c) => {
      const { number, size, total, items } = page(inPath(c), 'limit', spellings.v2Page, params, nowMs)
      return { list: items ?? [], page: number, size, totalCount: total, totalPage: Math.ceil(total / size) }
    }),
  )
  app.post(
    '/live/v3/channel/chat/get-history',
    answer(
      (params, nowMs) =>
        page(channelInParams(params), 'pageSize', spellings.v3History, params, nowMs).items ?? [],
    ),
  )
  app.get(
    '/live/v3/channel/chat/get-history-page',
    answer((params, nowMs) => {
      const { number, size, items } = page(
        channelInParams(params),
        'pageSize',
        spellings.v3Page,
        params,
        nowMs,
      )
      return { pageNumber: number, pageSize: size, ...(items && { contents: items }) }
    }),
  )
  app.get(
    '/live/v3/user/chat/get-speak-list',
    answer((params, nowMs) => {
      const found = selectSpeeches(history, params, nowMs)
      const size = numberParam(params, 'size', 10)
      if (size > pageLimit) throw new Refused(400, 'param exceeds maximum value of integer')
      const from = cursorParam(params)
      const list = found.slice(from, from + size).map((message) => spellings.v3Speak(message, nowMs))
      served.add(list, 'pass')
      return { size, cursor: list.length > 0 ? `${from + list.length}_${size}` : null, list }
    }),
  )
  app.get(
    '/live/v3/user/channels',
    answer(() => ({ channels: sandboxChannels.map(Number) })),
  )
  app.get('/chat/:name', (c) => c.body(new Uint8Array(dotPng), 200, { 'content-type': 'image/png' }))
  app.get('/doc/:name', (c) =>
    c.body(`%PDF-1.4\n% ${c.req.param('name')}\n%%EOF\n`, 200, { 'content-type': 'application/pdf' }),
  )
  app.all('/live/*', (c) =>
    c.json({ code: 405, status: 'error', message: 'method not allowed', data: '' }, 405),
  )

  return {
    app,
    served: () => served.counts(),
    sourceConfig: (baseUrl) => ({
      name: 'live',
      provider: 'polyv',
      baseUrl,
      ...credentials,
      channels: [...sandboxChannels],
      pageSize: pageLimit,
      since: '72h',
      pollEvery: '3s',
      lookAgain: ['1m', '10m', '1h'],
      ratePer10s: Math.max(1, Math.floor(callsPer10s / 2)),
    }),
  }
}

/** How many messages a cursor has behind it; the first call has none. */
function cursorParam(params: URLSearchParams): number {
  const cursor = params.get('cursor') ?? '0_0'
  const passed = /^(\d{1,9})_\d{1,9}$/.exec(cursor)?.[1]
  if (passed === undefined) throw new Refused(400, 'param validate error')
  return Number(passed)
}
