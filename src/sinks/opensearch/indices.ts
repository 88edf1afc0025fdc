import { ChatfeedError } from '../../errors.ts'
import { findAnalysis } from './analysis.ts'
import type { SearchClient } from './client.ts'
import type { OpensearchConfig } from './config.ts'
import { type Analysis, messageMappings, positionMappings } from './mappings.ts'

/** A template of the user's own with a higher priority adds settings; a longer name is the more special one. */
const templatePriority = 100
const lastMonthAtMs = Date.UTC(9999, 11)

/** Behind the alias without `perMonth`. */
export const singleIndex = (index: string): string => `${index}-000001`
/** Positions lie beside the messages. */
export const positionIndex = (index: string): string => `${index}-offsets`
/** Where a message lies with `perMonth`: by the month (UTC) in which it was sent. */
export function monthIndex(index: string, sentAt: number): string {
  const month = new Date(Math.max(0, Math.min(sentAt, lastMonthAtMs))).toISOString().slice(0, 7)
  return `${index}-${month.replace('-', '.')}`
}

const isMonth = (name: string): boolean => /-\d{4}\.\d{2}$/.test(name)

/** The indices behind the alias; none while there is no alias. */
export async function indicesBehind(client: SearchClient, index: string): Promise<string[]> {
  const path = `/_alias/${index}`
  const { status, body } = await client.call<object>({ method: 'GET', path, expect: [404] })
  return status === 404 ? [] : Object.keys(body)
}

/** Makes what is missing before anything is written, and answers how texts of new indices are analysed. */
export async function prepareIndices(client: SearchClient, config: OpensearchConfig): Promise<Analysis> {
  const { index, perMonth } = config
  const behind = await indicesBehind(client, index)
  if (behind.some((name) => isMonth(name) !== perMonth)) throw otherLayout(client.url, config)
  const analysis = await findAnalysis(client, config)
  await putTemplate(client, config, analysis)
  if (!perMonth && behind.length === 0) await createIndex(client, index, singleIndex(index), analysis)
  await createPositionIndex(client, index)
  return analysis
}

/** Makes the index of positions; nothing where it is there. */
export async function createPositionIndex(client: SearchClient, index: string): Promise<void> {
  await create(client, positionIndex(index), { mappings: positionMappings })
}

/** Makes an index for messages, behind the alias; nothing where it is there. */
export async function createIndex(
  client: SearchClient,
  alias: string,
  name: string,
  analysis: Analysis,
): Promise<void> {
  const isNew = await create(client, name, { mappings: messageMappings(analysis), aliases: { [alias]: {} } })
  if (!isNew) await client.call({ method: 'PUT', path: `/${name}/_alias/${alias}` })
}

/**
 * The cluster's own name for what the positions belong to: an index that was removed and made anew has another one.
 * With `perMonth`, where old months may be dropped one by one, it is the index of the positions. Null where there is none.
 */
export async function incarnation(
  client: SearchClient,
  { index, perMonth }: Pick<OpensearchConfig, 'index' | 'perMonth'>,
): Promise<string | null> {
  const path = `/${perMonth ? positionIndex(index) : index}/_settings/index.uuid?flat_settings=true`
  const { status, body } = await client.call<Record<string, { settings: { 'index.uuid': string } }>>({
    method: 'GET',
    path,
    expect: [404],
  })
  if (status === 404) return null
  const names = Object.values(body).map(({ settings }) => settings['index.uuid'])
  return names.sort().join('+')
}

/** The template is for indices that nobody makes on purpose: another program's reindexing, a month that was dropped. */
async function putTemplate(
  client: SearchClient,
  { index, perMonth }: OpensearchConfig,
  analysis: Analysis,
): Promise<void> {
  const aliases = perMonth ? { aliases: { [index]: {} } } : {}
  const body = {
    index_patterns: [perMonth ? `${index}-*.*` : `${index}-0*`],
    priority: templatePriority + index.length,
    template: { mappings: messageMappings(analysis), ...aliases },
    _meta: { description: 'messages of chatfeed' },
  }
  await client.call({ method: 'PUT', path: `/_index_template/${index}`, body })
}

/** Whether the index was not there yet. */
async function create(client: SearchClient, name: string, body: object): Promise<boolean> {
  const { status, body: answer } = await client.call<{ error?: { type?: string } }>({
    method: 'PUT',
    path: `/${name}`,
    body,
    expect: [400],
  })
  if (status === 400 && answer.error?.type !== 'resource_already_exists_exception')
    throw client.failure(status, answer)
  return status !== 400
}

function otherLayout(url: string, { index, perMonth }: OpensearchConfig): ChatfeedError {
  const found = perMonth ? 'one index for all months' : 'an index per month'
  return new ChatfeedError(
    'fatal',
    'search_other_layout',
    `The search cluster at ${url} has ${found} behind ${index}.`,
    {
      mend: `Set perMonth to ${!perMonth}, choose another \`index\`, or rebuild the sink.`,
    },
  )
}
