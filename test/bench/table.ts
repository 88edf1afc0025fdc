import { median, type Result } from './compare.ts'

/** Markdown of what `compare` found; the first contender is the one that the ratios are about. */
export function comparison(results: readonly Result[], messages: number): string {
  const perSecond = (result: Result) => result.runs.map(({ wallMs }) => (messages / wallMs) * 1_000)
  const cpu = (result: Result) => result.runs.map(({ cpuMs }) => (cpuMs * 1_000) / messages)
  const first = results[0]!
  const rows = results.map((result) => [
    result.name,
    range(perSecond(result), 0),
    range(cpu(result), 2),
    (median(cpu(result)) - (result.startCpuMs * 1_000) / messages).toFixed(2),
    (median(result.runs.map(({ brokerCpuMs }) => brokerCpuMs)) * (1_000 / messages)).toFixed(2),
    Math.max(...result.runs.map(({ peakRssMb }) => peakRssMb)).toFixed(0),
    (median(cpu(result)) / median(cpu(first))).toFixed(2),
    (median(perSecond(first)) / median(perSecond(result))).toFixed(2),
  ])
  const head = [
    'who',
    'msg/s by the clock',
    'µs of processor time a message',
    'net of start-up',
    'broker, µs',
    'peak RSS, MB',
    `processor time, ${first.name} = 1`,
    `clock, ${first.name} = 1`,
  ]
  const remarks = results.flatMap(({ name, remark }) => (remark ? [`- ${name}: ${remark}`] : []))
  return [table(head, rows), ...(remarks.length > 0 ? ['', ...remarks] : [])].join('\n')
}

/** A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '--:'))), ...rows.map(line)].join(
    '\n',
  )
}

/** `median (lowest–highest)`. */
export function range(figures: readonly number[], digits: number): string {
  const text = (figure: number) =>
    figure.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
  return `${text(median(figures))} (${text(Math.min(...figures))}–${text(Math.max(...figures))})`
}

/** What one core would carry, in a sentence. */
export function perCore({ name, runs, startCpuMs }: Result, messages: number): string {
  const cpuMs = median(runs.map((run) => run.cpuMs))
  const rate = (ms: number) => Math.round((messages / ms) * 1_000).toLocaleString('en')
  return `${name}: ${rate(cpuMs)} msg/s a core (processor time), ${rate(cpuMs - startCpuMs)} net of start-up.`
}
