import { ChatfeedError } from '../../errors.ts'
import { fault, fine, warning, type Finding } from '../../finding.ts'
import { askChannels } from './channel-list.ts'
import { checkSettings } from './check-settings.ts'
import { isRefusal, type Client, type Refusal } from './client/client.ts'
import type { PolyvConfig } from './config.ts'
import { allChannels, endpoints, type Query } from './lists/endpoints.ts'
import { hourMs, startOfHour } from './hours.ts'
import { askPage } from './lists/page.ts'
import { listsOf } from './lists/queries.ts'
import { isPlain, tellRefused } from './refused-list.ts'
import { ofChannel } from './set-aside.ts'

/** The service takes timestamps that are three minutes off. */
const clockFaultMs = 180_000
const clockWarningMs = 60_000

/**
 * Looks at the account from here: credentials, clock, endpoint, channels, settings. Asks for one message of each
 * channel that is listed, or for the account's channels and a message of one, and for one of each list of the first
 * channel that answers. Throws nothing but `stopped`.
 */
export async function checkSource(
  config: PolyvConfig,
  client: Client,
  nowMs: number,
  signal: AbortSignal,
): Promise<Finding[]> {
  const found: Finding[] = []
  let channels = config.channels === allChannels ? null : config.channels
  try {
    if (channels === null && endpoints[config.endpoint].covers === 'channel') {
      channels = [...(await askChannels(client, signal))]
      found.push(accountFinding(channels))
    }
    const refusals = await askEach(config, channels, client, nowMs, signal)
    found.push(fine('credentials', 'Polyv accepts appId and appSecret.'), endpointFinding(config, refusals))
    found.push(...channelFindings(refusals, config))
    const good = [...refusals].find(([, refusal]) => refusal === null)?.[0]
    if (good !== undefined) found.push(...(await listFindings(config, good, client, nowMs, signal)))
    if (channels && endpoints[config.endpoint].covers === 'account')
      found.push(...strangers(channels, await askChannels(client, signal)))
  } catch (error) {
    if (signal.aborted || !(error instanceof ChatfeedError)) throw error
    const about = error.remedy === 'fatal' ? 'credentials' : 'service'
    found.push(fault(about, error.message, error.mend ?? 'Try again in some minutes.'))
  }
  if (client.aheadMs !== null) found.push(clockFinding(client.aheadMs))
  return [...found, ...checkSettings(config, channels?.length ?? 1)]
}

/** What the endpoint answers for each channel asked: null for a list of messages. Of an account's own channels one is enough. */
async function askEach(
  config: PolyvConfig,
  channels: readonly string[] | null,
  client: Client,
  nowMs: number,
  signal: AbortSignal,
): Promise<Map<string, Refusal | null>> {
  const endpoint = endpoints[config.endpoint]
  const isAll = config.channels === allChannels
  const asked =
    endpoint.covers === 'account' ? [allChannels] : (channels ?? []).slice(0, isAll ? 1 : Infinity)
  const answers = new Map<string, Refusal | null>()
  for (const channel of asked) {
    const fromMs = startOfHour(nowMs)
    const query = { channel, room: null, status: 'pass', scope: 'public', fromMs, toMs: fromMs + hourMs }
    answers.set(channel, await askList(config, query, client, signal))
  }
  return answers
}

/** Null for a list of messages. */
async function askList(
  config: PolyvConfig,
  query: Query,
  client: Client,
  signal: AbortSignal,
): Promise<Refusal | null> {
  const endpoint = endpoints[config.endpoint]
  const firstPage = endpoint.paging === 'page' ? { page: 1 } : {}
  const page = await askPage(client, { endpoint, query, pageSize: 1 }, firstPage, signal)
  return isRefusal(page) ? page : null
}

/** What a channel whose approved public chat can be read answers for the other lists that are configured. */
async function listFindings(
  config: PolyvConfig,
  channel: string,
  client: Client,
  nowMs: number,
  signal: AbortSignal,
): Promise<Finding[]> {
  const found: Finding[] = []
  const lists = listsOf(config, channel, startOfHour(nowMs))
  for (const query of lists) {
    if (isPlain(query) && query.status === 'pass') continue
    const refusal = await askList(config, query, client, signal)
    if (!refusal) continue
    const { reason, mend } = tellRefused(query, refusal)
    found.push(fault('lists', reason, mend ?? 'Try again in some minutes.'))
  }
  if (found.length > 0 || lists.length === 1) return found
  return [fine('lists', `All ${lists.length} lists of a channel can be read.`)]
}

function endpointFinding({ endpoint }: PolyvConfig, answers: ReadonlyMap<string, Refusal | null>): Finding {
  const refused = [...answers.values()].find((answer) => answer && !ofChannel.has(answer.code))
  return refused
    ? fault('endpoint', `${endpoint}: ${refused.reason}`, refused.mend ?? 'Try another endpoint.')
    : fine('endpoint', `${endpoint} answers.`)
}

function channelFindings(
  answers: ReadonlyMap<string, Refusal | null>,
  { channels, endpoint }: PolyvConfig,
): Finding[] {
  const found: Finding[] = []
  for (const [channel, answer] of answers) {
    if (answer && ofChannel.has(answer.code))
      found.push(fault('channels', `Channel ${channel}: ${answer.reason}`, answer.mend ?? ''))
  }
  const good = [...answers.values()].filter((answer) => answer === null).length
  if (good > 0 && channels !== allChannels && endpoints[endpoint].covers === 'channel')
    found.push(fine('channels', `${good} of ${answers.size} channels can be read.`))
  return found
}

function accountFinding(channels: readonly string[]): Finding {
  return channels.length > 0
    ? fine('channels', `The account has ${channels.length} channels.`)
    : warning('channels', 'The account has no channels.', 'Check that appId belongs to the right account.')
}

/** An endpoint that covers the account cannot refuse a channel: messages of one that is not there just never come. */
function strangers(channels: readonly string[], account: readonly string[]): Finding[] {
  const unknown = channels.filter((channel) => !account.includes(channel))
  if (unknown.length === 0) return [fine('channels', 'All channels belong to the account.')]
  const text = `The account has no channel ${unknown.join(', ')}.`
  return [fault('channels', text, 'Correct the numbers under channels, or take them out.')]
}

function clockFinding(aheadMs: number): Finding {
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  const text = `This machine's clock is ${seconds} s ${aheadMs > 0 ? 'behind' : 'ahead of'} that of Polyv`
  const mend = 'Set the clock of this machine (NTP).'
  if (seconds * 1000 > clockFaultMs)
    return fault(
      'clock',
      `${text}; calls are signed by Polyv's clock, but hours begin and end by this one.`,
      mend,
    )
  if (seconds * 1000 > clockWarningMs) return warning('clock', `${text}.`, mend)
  return fine('clock', 'The clocks agree.')
}
