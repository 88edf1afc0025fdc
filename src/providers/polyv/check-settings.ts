import { fine, warning, type Finding } from '../../finding.ts'
import { queryScopes, queryStatuses, type PolyvConfig } from './config.ts'
import { endpoints } from './lists/endpoints.ts'

/** Leaves something of the 1500 calls that an address has, for whatever else runs behind it. */
const boldRatePer10s = 1_000

/** What can be told of the settings without asking anybody; `channels` is their number. */
export function checkSettings(config: PolyvConfig, channels: number): Finding[] {
  return [...addressFindings(config), ...rateFindings(config, channels), ...filterFindings(config)]
}

function addressFindings({ baseUrl }: PolyvConfig): Finding[] {
  const { protocol, hostname } = new URL(baseUrl)
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
  if (protocol === 'https:' || isLoopback) return []
  return [
    warning(
      'address',
      'Messages travel unencrypted.',
      'Write https instead of http under baseUrl; Polyv serves both.',
    ),
  ]
}

function rateFindings({ pollEvery, ratePer10s, ...config }: PolyvConfig, channels: number): Finding[] {
  const found: Finding[] = []
  if (ratePer10s > boldRatePer10s) {
    found.push(
      warning(
        'rate',
        `ratePer10s is ${ratePer10s}; an address is blocked for five minutes beyond 1500 calls in 10 s.`,
        'Lower it: every poller and program behind the same address shares the 1500.',
      ),
    )
  }
  const { statuses, scopes, rooms } = config
  const lists = statuses.length * scopes.length * (1 + rooms.length)
  const calls = endpoints[config.endpoint].covers === 'account' ? 1 : channels * lists
  const enoughMs = Math.ceil((calls * 10) / ratePer10s) * 1_000
  if (enoughMs > pollEvery) {
    found.push(
      warning(
        'polling',
        `A poll takes ${calls} calls, which at ratePer10s: ${ratePer10s} is no sooner done than in ${enoughMs / 1000} s.`,
        `Raise pollEvery to ${enoughMs / 1000}s or more, list fewer channels, statuses, scopes or rooms, or take endpoint: v3-speak.`,
      ),
    )
  }
  return found.length > 0 ? found : [fine('rate', `Calls a poll: ${calls}, and one for every further page.`)]
}

/** Only what differs from the default was surely meant. */
function filterFindings({ endpoint, statuses, scopes, rooms }: PolyvConfig): Finding[] {
  if (endpoints[endpoint].covers !== 'account') return []
  const isMeant =
    statuses.length < queryStatuses.length || scopes.length < queryScopes.length || rooms.length > 0
  const text = `${endpoint} hands out what it likes: statuses, scopes and rooms have no effect.`
  if (!isMeant) return [fine('filters', text)]
  return [
    warning('filters', text, 'Take them out, or take endpoint: v2-history or v3-page, which ask by them.'),
  ]
}
