import { gzipSync } from 'node:zlib'
import { LosslessNumber } from 'lossless-json'
import { agents, answer, busyness, classTalk, people, question } from '../../../sandbox/phrases.ts'
import { Random } from '../../../sandbox/random.ts'
import { stringifyLossless } from '../../canonical.ts'
import { hourMs } from '../hours.ts'
import type { Json } from '../message/records.ts'
import type { SandboxFiles } from './files.ts'

const groups = ['214586203897857', '214586203897859', '214601120940033']
const rooms = ['214612455620609', '214612455620611']

/** What the simulated history depends on. */
export interface HistoryOptions {
  seed: number
  messagesPerHour: number
  files: SandboxFiles
  /** Before the uuid of an attachment. */
  filesUrl: string
}

/**
 * The lines of one hour's file: the same for the same seed and hour, in any process. About one line in sixty comes
 * twice, as the documents admit; some hours of the night are empty.
 */
export function historyLines(startMs: number, options: HistoryOptions): string[] {
  const random = new Random('easemob', options.seed, startMs)
  const busy = busyness(startMs)
  if (busy < 0.1 && random.chance(0.4)) return []
  const count = Math.round(options.messagesPerHour * busy * (0.8 + 0.4 * random.next()))
  const times = Array.from({ length: count }, () => random.integer(0, hourMs - 1)).sort((a, b) => a - b)

  const lines: string[] = []
  let previous: Json | null = null
  for (const [index, offset] of times.entries()) {
    const atMs = startMs + offset
    const stamp = { msg_id: messageIdAt(atMs, index, random), timestamp: atMs, direction: 'outgoing' }
    const notice: boolean = previous !== null && random.chance(0.03)
    const record: Json = { ...(notice ? noticeOf(previous!, random) : talkOf(random, options)), ...stamp }
    lines.push(stringifyLossless(record))
    previous = notice ? null : record
  }
  for (let at = lines.length - 1; at >= 0; at--) {
    if (random.chance(1 / 60)) lines.splice(random.integer(at + 1, lines.length), 0, lines[at]!)
  }
  return lines
}

/**
 * The file of these lines. Now and then it is two gzip members without a newline between them, and never does the
 * last line end in one (facts: Easemob, real file in JUDENG).
 */
export function historyFile(lines: readonly string[]): Buffer {
  const random = new Random(lines[0] ?? '')
  const cut = random.chance(0.3) ? random.integer(0, lines.length) : 0
  const members = [lines.slice(0, cut), lines.slice(cut)].filter((member) => member.length > 0)
  return Buffer.concat(members.map((member) => gzipSync(member.join('\n'))))
}

/** Ids hold the second of sending in their upper half (facts: Easemob, ops scripts ERL). */
function messageIdAt(atMs: number, index: number, random: Random): string {
  const seconds = BigInt(Math.floor(atMs / 1000) - 1_417_564_800)
  return String((seconds << 32n) | BigInt((index % 65_536) * 65_536 + random.integer(0, 65_535)))
}

function talkOf(random: Random, options: HistoryOptions): Json {
  const share = random.next()
  const customer = random.pick(people).id
  const agent = random.pick(agents).id
  const [chatType, from, to, talk] =
    share < 0.4
      ? (['chat', customer, agent, question] as const)
      : share < 0.7
        ? (['chat', agent, customer, answer] as const)
        : share < 0.88
          ? (['groupchat', customer, random.pick(groups), random.chance(0.3) ? answer : question] as const)
          : (['chatroom', customer, random.pick(rooms), classTalk] as const)
  const payload = { ext: extOf(random), bodies: [bodyOf(random, options, talk)], from, to }
  return { chat_type: chatType, payload, from, to }
}

/** The sender of a message recalls or edits it. */
function noticeOf({ chat_type: type, from, to, msg_id: id }: Json, random: Random): Json {
  if (random.chance(0.5)) {
    const payload = { ext: {}, bodies: [], ack_message_id: id, type, from, to }
    return { chat_type: 'recall', payload, recall_id: id, from, to }
  }
  const bodies = [{ msg: answer(random), type: 'txt' }]
  const meta = { edit_msg: { count: 1, operator: from, sender: from } }
  return {
    chat_type: 'edit',
    payload: { ext: {}, bodies, edit_message_id: id, meta, type, from, to },
    from,
    to,
  }
}

function extOf(random: Random): Json {
  if (random.chance(0.6)) return {}
  if (random.chance(0.5)) return { weichat: { originType: random.pick(['webim', 'app', 'wechat']) } }
  const orderId = new LosslessNumber(`9${random.text(18, '0123456789')}`)
  return { orderId, tags: [random.pick(['售前', '售后', 'VIP'])], retry: random.integer(0, 3) }
}

function bodyOf(random: Random, options: HistoryOptions, talk: (random: Random) => string): Json {
  const kind = random.next()
  const picture = () => fileOf(random, options, 'picture')
  const file = () => fileOf(random, options, 'other')
  const place = random.pick(places)
  const length = random.integer(1, 60)
  const serial = random.integer(1, 9999)
  if (kind < 0.7)
    return { msg: random.chance(0.2) ? `${talk(random)} #${serial}` : talk(random), type: 'txt' }
  if (kind < 0.78) {
    const { url, secret, file_length } = picture()
    const size = { height: random.integer(400, 2000), width: random.integer(400, 2000) }
    return { file_length, filename: `截图${serial}.png`, ...secret, size, type: 'img', url }
  }
  if (kind < 0.83) {
    const { url, secret, file_length } = file()
    return { file_length, filename: `voice-${serial}.amr`, length, ...secret, type: 'audio', url }
  }
  if (kind < 0.86) {
    const { url, secret, file_length } = file()
    const preview = picture()
    const thumb = { thumb: preview.url, thumb_secret: preview.secret.secret }
    const size = { height: 480, width: 360 }
    return { file_length, filename: `${serial}.mp4`, length, ...secret, size, ...thumb, type: 'video', url }
  }
  if (kind < 0.9) {
    const { url, secret, file_length } = file()
    return { file_length, filename: random.pick(documents), ...secret, type: 'file', url }
  }
  if (kind < 0.93) return { ...place, lat: random.chance(0.2) ? String(place.lat) : place.lat, type: 'loc' }
  if (kind < 0.95) return { action: random.pick(['typing', 'refresh-cart', '1601']), type: 'cmd' }
  if (kind < 0.97) {
    const exts = { orderId: `SO${serial}`, score: random.integer(1, 5) }
    const list = Object.entries(exts).map(([key, value]) => ({ [key]: value }))
    const custom = { customEvent: 'order-card', type: 'custom' }
    return random.chance(0.5)
      ? { ...custom, customExts: exts }
      : { ...custom, customExts: list, 'v2:customExts': list }
  }
  if (kind < 0.99) {
    const { url, secret, file_length } = file()
    const summary = `${random.pick(people).name}: ${talk(random)}`
    const about = { combineLevel: 1, file_length, filename: 'combine.txt', subType: 'sub_combine', summary }
    return { ...about, ...secret, title: '聊天记录', url }
  }
  return { type: 'poll', msg: '周五还是周六？', options: ['周五', '周六'] }
}

function fileOf(random: Random, { files, filesUrl }: HistoryOptions, type: 'picture' | 'other') {
  const { uuid, secret, bytes } = files.create(random, type)
  return { url: `${filesUrl}/${uuid}`, secret: { secret }, file_length: bytes.length }
}

const documents = ['报价单.pdf', '合同-2026.docx', 'invoice.xlsx', '使用说明.md']
const places = [
  { addr: '杭州市西湖区文三路 90 号', lat: 30.276532, lng: 120.13291 },
  { addr: '北京市西城区西便门桥', lat: 39.9053, lng: 116.36302 },
  { addr: 'Rua do Carmo 12, Lisboa', lat: 38.711842, lng: -9.14001 },
]
