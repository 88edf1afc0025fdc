import type { Refusal } from './client/client.ts'

/** Codes of what says that a channel, or one of its lists, is gone or closed to this account, not that one call was wrong. */
export const ofChannel: ReadonlySet<string> = new Set(['channel_gone', 'forbidden'])
const restMs = 10 * 60_000

/** Channels that the service has refused lately: one call finds out whether they are back, the others are spared. */
export class SetAside {
  readonly #refused = new Map<string, { refusal: Refusal; untilMs: number }>()

  /** The refusal of a channel that is not to be asked yet, with the time that is left; null for any other. */
  refusalOf(channel: string, nowMs: number): Refusal | null {
    const { refusal, untilMs } = this.#refused.get(channel) ?? { untilMs: nowMs }
    return refusal && untilMs > nowMs ? { ...refusal, retryAfterMs: untilMs - nowMs } : null
  }

  /** Takes in what the channel's plain list came to; null for success. */
  note(channel: string, refusal: Refusal | null, nowMs: number): void {
    if (refusal && ofChannel.has(refusal.code)) {
      this.#refused.set(channel, { refusal, untilMs: nowMs + (refusal.retryAfterMs ?? restMs) })
    } else if (!refusal) this.#refused.delete(channel)
  }
}
