import { agents, answer, classTalk, people, question } from '../../src/sandbox/phrases.ts'
import { Random } from '../../src/sandbox/random.ts'

/** One line in ten repeats an earlier one; the provider's documents admit repeats, second looks bring many. */
const repeatShare = 0.1
/** A repeat is one of so many lines before it, so that the generator's memory is bounded. */
const reach = 20_000
const firstAtMs = Date.UTC(2026, 10, 23, 2)
const idBase = 100_000_000_000
const idStep = 7_919

const groups = ['214586203897857', '214586203897859', '214601120940033']
const rooms = ['214612455620609', '214612455620611']
const host = 'https://a1-chatfile.easemob.com/acme/helpdesk/chatfiles'

/** A line of an hour file and which message it is: lines with the same number are copies. */
export interface Line {
  number: number
  text: string
}

/** The provider's id of the message with this number. */
export const messageId = (number: number): string => `1469166${idBase + number * idStep}`

/** The number of the message with this id; NaN for an id that was never made. */
export function messageNumber(id: string): number {
  const number = (Number(id.slice(7)) - idBase) / idStep
  return Number.isInteger(number) && messageId(number) === id ? number : Number.NaN
}

/**
 * The lines of an hour, shaped as in real hour files (facts: Easemob, §2.6 and §4): the same for the same seed. The
 * messages are numbered from `first`.
 */
export function* hourLines(count: number, seed: number, first = 0): Generator<Line> {
  const random = new Random('bench', seed)
  const recent: Line[] = []
  let number = first
  for (let at = 0; at < count; at++) {
    if (number > first && random.chance(repeatShare)) {
      yield recent[random.integer(0, recent.length - 1)]!
      continue
    }
    const line = { number, text: JSON.stringify(record(number, random)) }
    recent[(number - first) % reach] = line
    number++
    yield line
  }
}

function record(number: number, random: Random): object {
  const share = random.next()
  const customer = `${random.pick(people).id}.${random.integer(1, 9_999)}`
  const agent = random.pick(agents).id
  const [type, from, to, talk] =
    share < 0.4
      ? (['chat', customer, agent, question] as const)
      : share < 0.7
        ? (['chat', agent, customer, answer] as const)
        : share < 0.88
          ? (['groupchat', customer, random.pick(groups), question] as const)
          : (['chatroom', customer, random.pick(rooms), classTalk] as const)
  return {
    chat_type: type,
    payload: { ext: ext(random), bodies: [body(random, talk)], from, to },
    from,
    to,
    msg_id: messageId(number),
    timestamp: firstAtMs + Math.floor(number / 200),
    direction: 'outgoing',
  }
}

function ext(random: Random): object {
  const share = random.next()
  if (share < 0.3) return {}
  const weichat = {
    originType: random.pick(['webim', 'app', 'wechat']),
    agentUsername: random.pick(agents).id,
  }
  if (share < 0.6) return { weichat }
  const order = {
    orderId: `SO${random.text(14, '0123456789')}`,
    tags: [random.pick(['售前', '售后', 'VIP'])],
  }
  return { weichat, ...order, retry: random.integer(0, 3), trace: random.text(32) }
}

function body(random: Random, talk: (random: Random) => string): object {
  const share = random.next()
  const serial = random.integer(1, 9_999)
  if (share < 0.72) return { msg: sentences(random, talk), type: 'txt' }
  if (share < 0.82) {
    const size = { width: random.integer(400, 2_000), height: random.integer(400, 2_000) }
    return { ...file(random), filename: `截图${serial}.png`, size, type: 'img' }
  }
  if (share < 0.88)
    return { ...file(random), filename: `voice-${serial}.amr`, length: random.integer(1, 60), type: 'audio' }
  if (share < 0.92) return { ...random.pick(places), type: 'loc' }
  if (share < 0.96) return { action: random.pick(['typing', 'refresh-cart', '1601']), type: 'cmd' }
  const customExts = { orderId: `SO${serial}`, score: random.integer(1, 5) }
  return { customEvent: 'order-card', customExts, type: 'custom' }
}

/** A few sentences, so that a line comes to some 500 bytes. */
function sentences(random: Random, talk: (random: Random) => string): string {
  let text = `${talk(random)} #${random.integer(1, 99_999)}`
  for (let more = random.integer(0, 6); more > 0; more--) text += ` ${talk(random)}`
  return text
}

function file(random: Random): object {
  const url = `${host}/${random.text(8)}-${random.text(4)}-11f1-${random.text(4)}-${random.text(12)}`
  return { file_length: random.integer(10_000, 900_000), secret: random.text(26), url }
}

const places = [
  { addr: '杭州市西湖区文三路 90 号', lat: 30.276532, lng: 120.13291 },
  { addr: '北京市西城区西便门桥', lat: 39.9053, lng: 116.36302 },
  { addr: 'Rua do Carmo 12, Lisboa', lat: 38.711842, lng: -9.14001 },
]
