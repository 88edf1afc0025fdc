import { gunzipSync, gzipSync } from 'node:zlib'
import { easemob } from '../../src/providers/easemob/index.ts'
import type { Framing, Json, ProviderCase } from './provider/case.ts'
import { listFraming } from './provider/list-framing.ts'
import { providerSuite } from './provider-suite.ts'

/** 11:20 on a Monday in China: the hour of 9 o'clock is over and settled, that of 11 goes on. */
const nowMs = Date.parse('2026-11-23T11:20:00+08:00')
const sentAt = Date.parse('2026-11-23T09:30:00+08:00')

/** Lines of gz text; the sandbox joins members without a line end now and then. */
const lines: Framing = {
  recordsOf: ({ path }, { status, body }) => {
    if (!path.startsWith('/history/') || status !== 200) return null
    const text = gunzipSync(body).toString('latin1')
    return text.split(/\n|(?<=\})(?=\{"chat_type")/).map((line) => Buffer.from(line, 'latin1'))
  },
  withRecords: (answer, records) => {
    const text = records.flatMap((record) => [record, Buffer.from('\n')])
    return { ...answer, body: gzipSync(Buffer.concat(text)) }
  },
  canCarry: (record) => {
    const text = record.toString('latin1')
    return !text.includes('\n') && !text.includes('}{') && !/^(?:\xef\xbb\xbf|[ \t\r]*$)|\r$/.test(text)
  },
}

const withPayload = (record: Json, change: (payload: Json) => Json): Json => ({
  ...record,
  payload: change(record.payload as Json),
})

const isToken = (path: string): boolean => path === '/chatfeed-demo/helpdesk/token'

const common: Omit<ProviderCase, 'name' | 'entry' | 'framing' | 'publishes'> = {
  provider: easemob,
  nowMs,
  sandbox: { seed: 11, messagesPerHour: 60, callsPerMinute: 100_000 },
  unit: '2026112309',
  mayPost: isToken,
  isShared: isToken,
  wrong: [
    { clientSecret: 'another' },
    { clientId: 'another' },
    { app: 'another' },
    { org: 'another' },
    { baseUrl: 'http://127.0.0.1:1' },
  ],
  example: (id, content) =>
    `{"chat_type":"chat","payload":{"ext":{},"bodies":[{"msg":${content},"type":"txt"}],"from":"a","to":"b"},` +
    `"from":"a","to":"b","msg_id":"${id}","timestamp":${sentAt},"direction":"outgoing"}`,
  sameMessage: [
    (record) => ({ ...record, direction: 'incoming' }),
    (record) => ({ ...record, uuid: '9060a01e', type: 'chatmessage', created: 1, modified: 2 }),
    (record) => withPayload(record, ({ from: _from, to: _to, ...payload }) => payload),
    (record) => ({ ...record, from: 'internal', to: 'internal' }),
  ],
  otherContent: [
    (record) => withPayload(record, (payload) => ({ ...payload, bodies: [{ type: 'txt', msg: 'edited' }] })),
    (record) => withPayload(record, (payload) => ({ ...payload, ext: { edited: true } })),
    (record) => ({ ...record, recall_id: '1' }),
  ],
}

providerSuite({
  ...common,
  name: 'easemob files',
  entry: { mode: 'files', ratePerMinute: 6_000, since: '12h' },
  framing: lines,
  publishes: 'every row',
})

providerSuite({
  ...common,
  name: 'easemob pull',
  entry: { mode: 'pull', ratePerMinute: 6_000, since: '6h' },
  openUnit: '2026112311',
  framing: listFraming((path) => path.includes('/chatmessages?'), ['entities']),
  publishes: 'distinct rows',
})
