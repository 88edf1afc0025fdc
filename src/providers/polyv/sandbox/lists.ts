import { parseTime } from '../hours.ts'
import { Refused } from './calls.ts'
import { sandboxChannels, statusAt, type SandboxHistory, type SandboxMessage } from './history.ts'

/** The messages of a channel that the query asks for, oldest first; windows count whole seconds, the end included. */
export function selectList(
  history: SandboxHistory,
  channel: string,
  params: URLSearchParams,
  nowMs: number,
): SandboxMessage[] {
  const fromMs = timeParam(params, 'startDay', 0)
  const toMs = timeParam(params, 'endDay', 24 * 3_600_000 - 1_000)
  if (toMs < fromMs) throw new Refused(400, 'startDate can not great endDater')
  const status = oneOf(params, 'status', ['pass', 'censor'])
  const scope = oneOf(params, 'source', ['public', 'extend'])
  const roomId = params.get('roomId') ?? channel
  const userTypes = params.get('userType')?.split(',')
  return history
    .messages(channel, fromMs, toMs + 999, nowMs)
    .filter((message) => (statusAt(message, nowMs) === 'pass' ? 'pass' : 'censor') === status)
    .filter((message) => message.scope === scope && message.roomId === roomId)
    .filter((message) => userTypes?.includes(message.userType) ?? true)
}

/** What is said in public in all channels and rooms and not taken back, oldest first; the window counts milliseconds. */
export function selectSpeeches(
  history: SandboxHistory,
  params: URLSearchParams,
  nowMs: number,
): SandboxMessage[] {
  const [fromMs, toMs] = ['startTime', 'endTime'].map((name) => {
    const text = params.get(name) ?? ''
    if (!/^\d{13}$/.test(text)) throw new Refused(400, `param is not digit: ${name}`)
    return Number(text)
  }) as [number, number]
  return sandboxChannels
    .flatMap((channel) => history.messages(channel, fromMs, toMs, nowMs))
    .filter((message) => message.scope === 'public' && statusAt(message, nowMs) === 'pass')
    .sort((a, b) => a.atMs - b.atMs)
}

/** The channel of a v2 address. */
export function channelInPath(channel: string): string {
  if (!/^\d+$/.test(channel)) throw new Refused(400, 'param type error')
  if (!sandboxChannels.includes(channel)) throw new Refused(400, 'channel not found.')
  return channel
}

/** The channel that a v3 call names as a parameter. */
export function channelInParams(params: URLSearchParams): string {
  const channel = params.get('channelId')
  if (!channel) throw new Refused(400, 'param should not be empty: channelId')
  if (!sandboxChannels.includes(channel)) throw new Refused(403, `illegal channel id: ${channel}`)
  return channel
}

/** A whole number from 1, such as a page; `fallback` where the call does not name one. */
export function numberParam(params: URLSearchParams, name: string, fallback: number): number {
  const text = params.get(name) ?? String(fallback)
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Refused(400, `param is not digit: ${name}`)
  return Number(text)
}

function timeParam(params: URLSearchParams, name: string, ofDayMs: number): number {
  const text = params.get(name)
  if (!text) throw new Refused(400, `${name} can not be empty.`)
  const atMs = parseTime(text)
  if (atMs === null) throw new Refused(400, 'invalid date time format')
  return text.length === 10 ? atMs + ofDayMs : atMs
}

function oneOf(params: URLSearchParams, name: string, [usual, other]: readonly [string, string]): string {
  const value = params.get(name) ?? usual
  if (value !== usual && value !== other) throw new Refused(400, 'param validate error')
  return value
}
