import { ChatfeedError, isTransient } from '../../errors.ts'
import { fault, fine, type Finding, warning } from '../../finding.ts'
import type { SourceContext } from '../provider.ts'
import { stopped } from '../stopped.ts'
import { checkClock, checkSettings } from './check-settings.ts'
import type { EasemobClient } from './rest/client.ts'
import type { EasemobConfig } from './config.ts'
import { HourReader } from './files/hour-file.ts'
import type { Hour, HourLinks } from './files/hour-links.ts'
import { hourMs, hourName, hourStart } from './hours.ts'
import { pullPage } from './pull/page.ts'
import { ZoneCheck } from './zone-check.ts'

/** Closed hours asked for to find one with messages. */
const hoursTried = 3
const sampleRecords = 200

/** Findings about a source of files. Throws nothing but `stopped`. */
export function checkFiles(
  config: EasemobConfig,
  client: EasemobClient,
  links: HourLinks,
  context: SourceContext,
  signal: AbortSignal,
): Promise<Finding[]> {
  return check(config, client, context, signal, async () => {
    const newestMs = hourStart(context.now() - config.settle - hourMs, config.timeZone)
    for (let back = 0; back < hoursTried; back++) {
      const startMs = newestMs - back * hourMs
      const hour = { name: hourName(startMs, config.timeZone), startMs }
      const answer = await links.ask(hour, signal)
      if ('links' in answer)
        return [mayRead, ...(await checkZone(config, links, hour, answer.links[0]!, signal))]
      if (answer.state === 'failed') return [historyFault(answer.reason)]
    }
    return [mayRead, unjudgedZone(`the last ${hoursTried} hours hold no messages`)]
  })
}

/** Findings about a source that pulls: its rows are asked for by time, so the zone only names its hours. */
export function checkPull(
  config: EasemobConfig,
  client: EasemobClient,
  context: SourceContext,
  signal: AbortSignal,
): Promise<Finding[]> {
  return check(config, client, context, signal, async () => {
    const query = { afterMs: context.now() - config.settle - hourMs, cursor: null, limit: 1 }
    const page = await pullPage(client, query, signal)
    return ['rows' in page ? mayRead : historyFault(page.reason)]
  })
}

const mayRead = fine('scope', 'The credentials may read the history.')

async function check(
  config: EasemobConfig,
  client: EasemobClient,
  context: SourceContext,
  signal: AbortSignal,
  askHistory: () => Promise<Finding[]>,
): Promise<Finding[]> {
  const findings = [...checkSettings(config, context.now())]
  try {
    await client.authenticate(signal)
    const app = `${config.org}/${config.app} at ${config.baseUrl}`
    findings.push(fine('credentials', `A token for ${app} is given.`))
    findings.push(...(await askHistory()))
  } catch (error) {
    if (signal.aborted) throw stopped(error)
    findings.push(findingOf(error, config))
  }
  return [...findings, ...checkClock(client.clockSkewMs)]
}

/** Reads the start of a file and looks whether its messages lie in the hour. */
async function checkZone(
  { timeZone }: EasemobConfig,
  links: HourLinks,
  { name, startMs }: Hour,
  link: string,
  signal: AbortSignal,
): Promise<Finding[]> {
  const opened = await links.open(link, signal)
  if ('status' in opened) {
    const text = `The store does not give the file of ${name} (${opened.status}).`
    return [fault('files', text, 'Check that no proxy changes the links.')]
  }
  const zone = new ZoneCheck(startMs, timeZone)
  const enough = new ChatfeedError('transient', 'sample_taken', 'Enough of the file is read.')
  const reader = new HourReader(({ sentAt }) => {
    zone.add(sentAt)
    return zone.total < sampleRecords ? undefined : Promise.reject(enough)
  }, signal)
  try {
    await reader.read(opened.file)
  } catch (error) {
    if (error instanceof ChatfeedError && error.code === 'damaged_file') {
      return [
        warning('files', `${name}: ${error.message}`, 'Check again later; if it stays so, ask Easemob.'),
      ]
    }
    if (error !== enough) throw error
  }
  const finding = zone.finding()
  if (finding !== null)
    return [warning('zone', `${name}: ${finding}.`, 'Set timeZone to the zone of your cluster.')]
  if (!zone.isJudged) return [unjudgedZone(`${name} holds too few messages`)]
  return [fine('zone', `The messages of ${name} lie in that hour.`)]
}

function unjudgedZone(why: string): Finding {
  const mend = 'Compare it with your cluster: +08:00 on the mainland, Z overseas; or check again later.'
  return warning('zone', `timeZone could not be judged: ${why}.`, mend)
}

function historyFault(reason: string): Finding {
  return fault(
    'history',
    `Easemob: ${reason}`,
    'Check baseUrl and mode, and look whether Easemob reports trouble.',
  )
}

/** Which setting each end of the whole source speaks of. */
const aboutOf: Readonly<Record<string, string>> = {
  unreachable: 'host',
  unknown_app: 'app',
  barred: 'app',
  credentials: 'credentials',
  no_token: 'credentials',
  unauthorized: 'scope',
  no_right: 'scope',
  throttled: 'rate',
}

function findingOf(error: unknown, { org, app, baseUrl }: EasemobConfig): Finding {
  if (!(error instanceof ChatfeedError)) throw error
  const about = aboutOf[error.code] ?? 'history'
  const text = about === 'app' ? `${error.message} Asked for: ${org}/${app} at ${baseUrl}.` : error.message
  const mend = error.mend ?? 'Check again later; if it stays so, look whether Easemob reports trouble.'
  return isTransient(error) && about === 'rate' ? warning(about, text, mend) : fault(about, text, mend)
}
