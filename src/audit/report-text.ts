import pc from 'picocolors'
import type { AuditReport, ProblemReport } from './report.ts'
import { layOut, printable, unitLines } from './unit-table.ts'

/** How a report is shown. */
export interface ReportFormat {
  /** Cells of a line. */
  columns: number
  color: boolean
  /** Every unit a line, not only those with problems. */
  units: boolean
}

/** So many problems of one kind in one place are shown. */
const mostShown = 10

/** The report for people: the units by source and day, what stands in the way, and the verdict at the end. */
export function auditText(report: AuditReport, { columns, color, units }: ReportFormat): string {
  const colors = pc.createColors(color)
  const { stages, sinks, notes, balanced } = report
  const lines = unitLines(report.units, units)
  const { head, rows } = layOut(lines, columns)
  const text = [
    ...(lines.length === 0 ? ['No units.'] : [colors.dim(head)]),
    ...rows.map((row, at) => {
      const { depth, sums } = lines[at]!
      if (depth === 0) return colors.bold(row)
      return depth === 2 && sums.problems > 0 ? colors.red(row) : row
    }),
    '',
    ...problemLines(report).map((line) => colors.red(line)),
    ...unreadLines(report),
    ...stages
      .filter(({ behind }) => behind > 0)
      .map(({ stage, behind }) =>
        colors.yellow(`${stage} is ${number(behind)} records behind and does not move: run chatfeed up.`),
      ),
    ...sinks
      .filter(({ audited }) => !audited)
      .map(({ name, reason }) => colors.yellow(`sink ${name} is not audited: ${reason ?? ''}`)),
    ...notes.map((note) => colors.yellow(note)),
    balanced ? colors.green(verdict(report)) : colors.red(verdict(report)),
  ]
  return `${text.join('\n')}\n`
}

function verdict({ balanced, problemCount, units }: AuditReport): string {
  const lines = units.reduce((sum, unit) => sum + unit.lines, 0)
  if (balanced) return `Balanced: ${number(lines)} lines of ${number(units.length)} units are accounted for.`
  if (problemCount === 0) return 'Not balanced: not every sink could be asked.'
  return `Not balanced: ${number(problemCount)} ${problemCount === 1 ? 'problem' : 'problems'}.`
}

/** Of each kind and place how many there are, the first ones, and what helps. */
function problemLines({ tally, problems, stages }: AuditReport): string[] {
  return tally.flatMap(({ kind, where, count }) => {
    const shown = problems
      .filter((problem) => problem.kind === kind && problem.where === where)
      .slice(0, mostShown)
    const rest = count - shown.reduce((sum, problem) => sum + problem.count, 0)
    const isPassed = stages.some(({ stage, behind }) => stage === where && behind === 0)
    return [
      `${kind} in ${where}: ${number(count)}${isPassed ? `. ${sinkMend}` : ''}`,
      ...shown.flatMap(oneProblem),
      ...(rest > 0 ? [`  and ${number(rest)} more: --json tells them`] : []),
    ]
  })
}

/** For a sink that is not merely behind. */
const sinkMend = 'Moved away while nothing runs, the store fills anew.'

function oneProblem({ source, unit, position, id, count, text }: ProblemReport): string[] {
  const line = position === null ? '' : `#${position}`
  const many = count > 1 ? ` (${number(count)} lines)` : ''
  return [
    `  ${source} ${unit}${line}${many}`.trimEnd(),
    ...[id, text].filter(Boolean).map((part) => `    ${part}`),
  ].map(printable)
}

const waiting = { pending: 'open or due', not_yet: 'not yet there', failed: 'failed' } as const

/** Units that are not read to their end, which is no problem by itself. */
function unreadLines({ units }: AuditReport): string[] {
  const told = Object.entries(waiting).flatMap(([state, words]) => {
    const count = units.filter((unit) => unit.state === state && unit.source !== '').length
    return count === 0 ? [] : [`${number(count)} ${words}`]
  })
  return told.length === 0 ? [] : [`Still to be read: ${told.join(', ')}.`]
}

const number = (value: number): string => value.toLocaleString('en-US')
