import pc from 'picocolors'
import stringWidth from 'string-width'
import type { SourceStatus } from '../ingest/source-loop.ts'

/** What the summary shows. */
export interface SummaryModel {
  uptimeMs: number
  brokers: string
  /** The simulated providers are read. */
  demo: boolean
  sources: (SourceStatus & { name: string; messages: number })[]
  stages: {
    name: string
    processed: number
    perSecond: number
    behind: number | null
    repeats: number
    dead: number
  }[]
  /** How this program is called: `chatfeed`, or `node dist/main.js`. */
  program: string
  /** There is a store that `search` reads. */
  search: boolean
  metricsUrl: string | null
  /** What does not work now, in sentences. */
  troubles: string[]
}

const number = (value: number): string => Math.round(value).toLocaleString('en-US')

/** The whole picture, for a terminal `columns` wide. */
export function summaryText(model: SummaryModel, columns = 80): string {
  const { uptimeMs, brokers, demo, sources, stages, program, search, metricsUrl, troubles } = model
  const lines = [
    `${pc.bold('chatfeed')}  ${clock(uptimeMs)}  Kafka ${brokers}${demo ? '  simulated providers' : ''}`,
    ...troubles.map((reason) => pc.yellow(`waiting: ${reason}`)),
    '',
    pc.dim(row('source', 'units', 'due', 'messages', 'now')),
    ...sources.map((source) =>
      row(
        source.name,
        number(source.units.done),
        number(source.units.due),
        number(source.messages),
        doing(source),
      ),
    ),
    '',
    pc.dim(row('stage', 'taken', 'behind', 'per second', '')),
    ...stages.map(({ name, processed, behind, perSecond, repeats, dead }) =>
      row(
        name,
        number(processed),
        behind === null ? '–' : number(behind),
        number(perSecond),
        notes(repeats, dead),
      ),
    ),
    '',
    pc.dim('next'),
    ...(search ? [`  ${program} search 退款        find messages`] : []),
    `  ${program} status             every unit of every source`,
    `  ${program} tail --follow      messages as they come`,
    ...(metricsUrl ? [`  ${metricsUrl}/metrics`] : []),
    pc.dim('Ctrl-C ends; the next start goes on from here'),
  ]
  return lines.map((line) => clip(line, columns)).join('\n')
}

/** One line, where there is no terminal. */
export function summaryLine({ sources, stages, troubles }: SummaryModel): string {
  const read = sources.map(
    ({ name, messages, units }) => `${name} ${number(messages)} messages (${units.due} units due)`,
  )
  const taken = stages.map(
    ({ name, processed, behind }) => `${name} ${number(processed)} (${behind ?? '–'} behind)`,
  )
  return [...troubles.map((reason) => `waiting: ${reason}`), ...read, ...taken].join(' · ')
}

function row(name: string, first: string, second: string, third: string, rest: string): string {
  return `  ${name.padEnd(16)} ${first.padStart(9)} ${second.padStart(8)} ${third.padStart(11)}   ${rest}`
}

function doing({ state, detail, nextAt, units }: SourceStatus): string {
  const lost = units.lost > 0 ? pc.red(`  ${units.lost} lost`) : ''
  const failed = units.failed > 0 ? pc.yellow(`  ${units.failed} failed`) : ''
  if (state === 'reading') return `reading ${detail}${lost}${failed}`
  if (state === 'stopped') return pc.red(`stopped: ${detail}`)
  const waiting = nextAt === null ? 'nothing to come' : `next ${when(nextAt)}`
  return (detail ? pc.yellow(detail) : waiting) + lost + failed
}

function notes(repeats: number, dead: number): string {
  return [
    repeats > 0 ? `${number(repeats)} repeats left out` : '',
    dead > 0 ? pc.yellow(`${number(dead)} dead letters`) : '',
  ]
    .filter(Boolean)
    .join(', ')
}

function when(atMs: number): string {
  const inMs = atMs - Date.now()
  if (inMs <= 1_500) return 'now'
  if (inMs < 60_000) return `in ${Math.round(inMs / 1_000)} s`
  const at = new Date(atMs)
  return `at ${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${two(Math.floor(seconds / 3_600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
}

/** Cuts a line that would wrap: colour codes take no room, Chinese characters two cells. */
function clip(line: string, columns: number): string {
  if (stringWidth(line) <= columns) return line
  let cells = 0
  return line.replace(/\u001b\[\d+m|[^\u001b]/gu, (part) => {
    if (part.startsWith('\u001b')) return part
    cells += stringWidth(part)
    return cells <= columns ? part : ''
  })
}
