import { busyness, people } from '../../../sandbox/phrases.ts'
import { Random } from '../../../sandbox/random.ts'
import { sandboxBody } from './bodies.ts'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const zoneMs = 8 * 60 * minuteMs

/** Three channels: a big class, a small one, and a help desk that never sleeps; hours of the day at UTC+8. */
const channels = [
  { id: '2477096', classHours: [9, 10, 14, 15, 19, 20], share: 0.5 },
  { id: '2477097', classHours: [10, 16, 20], share: 0.3 },
  { id: '2477098', classHours: null, share: 0.2 },
] as const

/** The channels that the simulation has. */
export const sandboxChannels: readonly string[] = channels.map(({ id }) => id)

/** The discussion room of a channel, which the main list leaves out. */
export const sandboxRoom = (channel: string): string => `${channel}02`

/** One message of the simulated history with everything that will become of it. Times are epoch milliseconds. */
export interface SandboxMessage {
  id: string
  channel: string
  atMs: number
  visibleAtMs: number
  scope: 'public' | 'extend'
  roomId: string
  userType: string
  /** The item as it is handed out, without what changes. */
  item: Record<string, unknown>
  user: Record<string, unknown> | null
  /** Steps of the message's life: its status from a moment on. */
  life: readonly { fromMs: number; status: 'pass' | 'censor' | 'delete' }[]
}

/** History as a pure function of the seed: any process makes the same message for the same moment. */
export class SandboxHistory {
  readonly #seed: number
  readonly #messagesPerHour: number
  readonly #filesUrl: string
  readonly #minutes = new Map<string, SandboxMessage[]>()

  /** `filesUrl` stands before the path of every picture and document. */
  constructor(seed: number, messagesPerHour: number, filesUrl: string) {
    this.#seed = seed
    this.#filesUrl = filesUrl
    this.#messagesPerHour = messagesPerHour
  }

  /** Messages of a channel from `fromMs` up to `toMs`, oldest first, of those visible at `nowMs`: three days back. */
  messages(channel: string, fromMs: number, toMs: number, nowMs: number): SandboxMessage[] {
    const beginMs = Math.max(fromMs, Math.floor((nowMs + zoneMs) / dayMs) * dayMs - zoneMs - 3 * dayMs)
    const endMs = Math.min(toMs, nowMs)
    const found: SandboxMessage[] = []
    for (let minute = Math.floor(beginMs / minuteMs); minute * minuteMs <= endMs; minute++) {
      for (const message of this.#minute(channel, minute)) {
        const isInside = message.atMs >= beginMs && message.atMs <= toMs
        if (isInside && message.visibleAtMs <= nowMs) found.push(message)
      }
    }
    return found
  }

  #minute(channel: string, minute: number): SandboxMessage[] {
    const key = `${channel}/${minute}`
    const known = this.#minutes.get(key)
    if (known) return known
    if (this.#minutes.size > 20_000) this.#minutes.clear()
    const random = new Random(this.#seed, 'polyv', channel, minute)
    const expected = (this.#messagesPerHour * shareOf(channel, minute * minuteMs)) / 60
    const count = Math.floor(expected) + (random.chance(expected % 1) ? 1 : 0)
    const made = Array.from({ length: count }, () =>
      makeMessage(random, channel, minute * minuteMs, this.#filesUrl),
    )
    made.sort((a, b) => a.atMs - b.atMs)
    this.#minutes.set(key, made)
    return made
  }
}

/** How much of the busiest hour falls on a channel at a moment: classes are scheduled, the help desk follows the day. */
function shareOf(channelId: string, atMs: number): number {
  const channel = channels.find(({ id }) => id === channelId)
  if (!channel) return 0
  if (channel.classHours === null) return channel.share * Math.max(0.5, busyness(atMs))
  const hour = Math.floor((atMs + zoneMs) / 3_600_000) % 24
  return (channel.classHours as readonly number[]).includes(hour) ? channel.share : 0
}

function makeMessage(
  random: Random,
  channel: string,
  minuteStartMs: number,
  filesUrl: string,
): SandboxMessage {
  const atMs = minuteStartMs + random.integer(0, minuteMs - 1)
  const visibleAtMs = atMs + random.integer(1_000, 3_000)
  const id = timeUuid(atMs + random.integer(0, 58), random)
  const isStaff = random.chance(0.15)
  const scope = isStaff && random.chance(0.4) ? 'extend' : 'public'
  const roomId = random.chance(0.05) ? sandboxRoom(channel) : channel
  const userType = isStaff
    ? random.pick(['teacher', 'assistant', 'manager'])
    : random.pick(['student', 'slice'])
  const person = random.pick(people)
  const { msgType, content, image = '', quote = '', uid } = sandboxBody(random, person, roomId, filesUrl)
  const sessionId = random.chance(0.7) ? `fs${Math.floor(atMs / 7_200_000).toString(36)}` : ''
  const user = {
    ...(isStaff && { actor: { teacher: '讲师', assistant: '助教' }[userType] ?? '管理员' }),
    banned: false,
    channelId: channel,
    clientIp: `203.0.113.${random.integer(1, 254)}`,
    nick: person.name,
    pic: random.pick(['//s1.videocc.net/face.png', 'https://liveimages.videocc.net/avatar/viewer.png']),
    roomId,
    sessionId,
    uid: uid ?? random.text(20, 'ABCDEFGHJKLMNPQRSTUVWXYZ0123456789'),
    ...(!uid && { userId: person.id }),
    userType,
  }
  const item = {
    accountId: 'sandbox0000',
    clientIP: '',
    content,
    event: '',
    id,
    image,
    msgType,
    quote,
    roomId,
    sessionId,
    sourceType: scope,
    time: atMs,
    userType: random.chance(0.05) ? `"${userType}"` : userType,
  }
  const life = makeLife(random, atMs)
  return {
    id,
    channel,
    atMs,
    visibleAtMs,
    scope,
    roomId,
    userType,
    item,
    user: msgType === 'get_redpaper' ? null : user,
    life,
  }
}

/** Most messages stay; some wait for review a minute to three hours, some are deleted in the end. */
function makeLife(random: Random, atMs: number): SandboxMessage['life'] {
  const later = (): number => Math.round(minuteMs * 180 ** random.next())
  const fate = random.next()
  if (fate < 0.03) return [pass(atMs), { fromMs: atMs + later(), status: 'delete' }]
  if (fate > 0.1) return [pass(atMs)]
  const review = { fromMs: atMs, status: 'censor' } as const
  const verdict = random.next()
  if (verdict < 0.15) return [review]
  const fromMs = atMs + later()
  return verdict < 0.3 ? [review, { fromMs, status: 'delete' }] : [review, pass(fromMs)]
}

const pass = (fromMs: number) => ({ fromMs, status: 'pass' }) as const

/** The status of a message at a moment. */
export function statusAt(message: SandboxMessage, nowMs: number): 'pass' | 'censor' | 'delete' {
  return message.life.findLast(({ fromMs }) => fromMs <= nowMs)?.status ?? 'pass'
}

/** A UUID of version 1, as Polyv's are: 100 ns since October 1582, the low bits first. */
function timeUuid(atMs: number, random: Random): string {
  const ticks = (
    BigInt(atMs) * 10_000n +
    122_192_928_000_000_000n +
    BigInt(random.integer(0, 9_999))
  ).toString(16)
  const hex = ticks.padStart(15, '0')
  return `${hex.slice(7)}-${hex.slice(3, 7)}-1${hex.slice(0, 3)}-${random.pick(['8', '9', 'a', 'b'])}${random.text(3)}-${random.text(12)}`
}
