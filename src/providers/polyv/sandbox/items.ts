import { stringifyLossless } from '../../canonical.ts'
import { statusAt, type SandboxMessage } from './history.ts'

/** An item as an answer holds it. */
export type SandboxItem = Record<string, unknown>

/** The endpoints' spellings of one message as it stands at a moment (facts: Polyv docs, samples; Java SDK). */
export const spellings = {
  v2History: item,
  /** The sample of 2019: a misspelt type, quoted roles, neither status nor source. */
  v2Page: (message: SandboxMessage, nowMs: number): SandboxItem => {
    const { msgType, userType, ...rest } = without(item(message, nowMs), [
      'status',
      'sourceType',
      'accountId',
    ])
    return {
      ...rest,
      event: '0',
      msyType: msgType === '' ? '0' : msgType,
      userType: JSON.stringify(userType),
    }
  },
  /** The Java SDK expects the channel, and `nickname`. */
  v3History: (message: SandboxMessage, nowMs: number): SandboxItem => {
    const { user, ...rest } = item(message, nowMs)
    const { nick, ...person } = user ?? {}
    return { ...rest, channelId: message.channel, user: user && { ...person, nickname: nick } }
  },
  v3Page: (message: SandboxMessage, nowMs: number): SandboxItem => ({
    ...item(message, nowMs),
    channelId: message.channel,
  }),
  /** The user is JSON text, what is absent is null, neither status nor source. */
  v3Speak: (message: SandboxMessage, nowMs: number): SandboxItem => {
    const { user, ...rest } = without(item(message, nowMs), ['status', 'sourceType', 'event'])
    const nulled: SandboxItem = {}
    for (const [key, value] of Object.entries(rest)) nulled[key] = value === '' ? null : value
    return { ...nulled, user: user && stringifyLossless(user) }
  },
} as const

/** Whether its sender is muted changes too, which is no change of the message. */
function item(message: SandboxMessage, nowMs: number): SandboxItem & { user: SandboxItem | null } {
  const isMuted = message.id.startsWith('7') && nowMs > message.atMs + 10 * 60_000
  const user: SandboxItem | null = message.user && { ...message.user, banned: isMuted }
  return { ...message.item, id: message.id, status: statusAt(message, nowMs), user }
}

function without<Item extends SandboxItem>(whole: Item, keys: readonly string[]): Item {
  const kept: SandboxItem = { ...whole }
  for (const key of keys) delete kept[key]
  return kept as Item
}

/** What has gone out. Of an item only the status changes its fingerprint. */
export class Served {
  readonly #messages = new Set<string>()
  readonly #revisions = new Set<string>()
  #rows = 0

  /** `asked` is the status of the list, which is all that is known of an item without its own. */
  add(items: readonly SandboxItem[], asked: string): void {
    for (const { id, status = asked } of items) {
      this.#rows++
      this.#messages.add(String(id))
      this.#revisions.add(`${String(id)} ${String(status)}`)
    }
  }

  counts(): { rows: number; messages: number; revisions: number } {
    return { rows: this.#rows, messages: this.#messages.size, revisions: this.#revisions.size }
  }
}
