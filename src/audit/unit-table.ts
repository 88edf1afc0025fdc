import stringWidth from 'string-width'
import type { UnitReport } from './report.ts'

/** A line of the table: a source, a day of it, or a unit. */
export interface UnitLine {
  label: string
  sums: Sums
  /** 0 for a source, 1 for a day, 2 for a unit. */
  depth: 0 | 1 | 2
}

type Sums = Pick<UnitReport, 'lines' | 'raw' | 'unique' | 'messages' | 'dead' | 'sinks' | 'problems'>

/**
 * The units as lines: each source, its days, and of a day the units with problems, or with `all` every unit. The days
 * are those in the names of the hours, which every provider tells in its own zone.
 */
export function unitLines(units: readonly UnitReport[], all: boolean): UnitLine[] {
  return groups(units, ({ source }) => source).flatMap(([source, ofSource]) => [
    { label: `${source || 'of unknown origin'}, ${counted(ofSource.length)}`, sums: sum(ofSource), depth: 0 },
    ...groups(ofSource, dayOf).flatMap(([day, ofDay]): UnitLine[] => [
      { label: day, sums: sum(ofDay), depth: 1 },
      ...ofDay
        .filter(({ problems }) => all || problems > 0)
        .map((unit): UnitLine => {
          const { unit: name, state } = unit
          return { label: state === 'published' ? name : `${name} ${state}`, sums: unit, depth: 2 }
        }),
    ]),
  ])
}

const counted = (count: number): string => `${count} ${count === 1 ? 'unit' : 'units'}`

function dayOf({ unit }: UnitReport): string {
  const [, year, month, day] = /(\d{4})(\d\d)(\d\d)\d\d$/.exec(unit) ?? []
  if (year !== undefined && !unit.startsWith('import/')) return `${year}-${month}-${day}`
  return unit.startsWith('import/') ? 'imports' : 'other'
}

/** In the order of their names. */
function groups(
  units: readonly UnitReport[],
  nameOf: (unit: UnitReport) => string,
): [name: string, units: UnitReport[]][] {
  const found = new Map<string, UnitReport[]>()
  for (const unit of units) {
    const group = found.get(nameOf(unit))
    if (group) group.push(unit)
    else found.set(nameOf(unit), [unit])
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1))
}

function sum(units: readonly UnitReport[]): Sums {
  const sums: Sums = { lines: 0, raw: 0, unique: 0, messages: 0, dead: 0, sinks: {}, problems: 0 }
  for (const { lines, raw, unique, messages, dead, sinks, problems } of units) {
    sums.lines += lines
    sums.raw += raw
    sums.unique += unique
    sums.messages += messages
    sums.dead += dead
    sums.problems += problems
    for (const [name, count] of Object.entries(sinks)) {
      const before = sums.sinks[name]
      sums.sinks[name] = count === null || before === null ? null : (before ?? 0) + count
    }
  }
  return sums
}

/** The lines under their headings, in columns; sinks that leave no room stand together as the least of them. */
export function layOut(lines: readonly UnitLine[], columns: number): { head: string; rows: string[] } {
  const wide = table(lines, (sums) => Object.entries(sums.sinks))
  if (stringWidth(wide.head) <= columns) return wide
  return table(lines, ({ sinks }) => [['sinks', least(Object.values(sinks))]])
}

function least(counts: readonly (number | null)[]): number | null {
  const known = counts.filter((count) => count !== null)
  return known.length < counts.length || known.length === 0 ? null : Math.min(...known)
}

function table(
  lines: readonly UnitLine[],
  sinksOf: (sums: Sums) => [name: string, count: number | null][],
): { head: string; rows: string[] } {
  const cellsOf = ({ lines: count, raw, unique, messages, dead, ...sums }: Sums) => [
    ...Object.entries({ lines: count, raw, unique, messages, dead }),
    ...sinksOf({ lines: count, raw, unique, messages, dead, ...sums }),
  ]
  const rows = lines.map(({ label, depth, sums }) => ({
    label: '  '.repeat(depth) + printable(label),
    problems: sums.problems === 0 || depth === 0 ? '' : `  ${number(sums.problems)} ✗`,
    cells: cellsOf(sums).map(([, count]) => (count === null ? '–' : number(count))),
  }))
  const names = lines[0] ? cellsOf(lines[0].sums).map(([name]) => name) : []
  const labelWidth = Math.max(0, ...rows.map(({ label }) => stringWidth(label)))
  const widths = names.map((name, at) =>
    Math.max(stringWidth(name), ...rows.map(({ cells }) => cells[at]?.length ?? 0)),
  )
  const line = (label: string, cells: readonly string[]) =>
    label +
    ' '.repeat(labelWidth - stringWidth(label)) +
    cells
      .map((cell, at) => '  ' + ' '.repeat(Math.max(0, (widths[at] ?? 0) - stringWidth(cell))) + cell)
      .join('')
  return {
    head: line('', names),
    rows: rows.map(({ label, cells, problems }) => line(label, cells) + problems),
  }
}

const number = (value: number): string => value.toLocaleString('en-US')

/** Without control characters, which could steer the terminal. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, ' ')
