import pc from 'picocolors'
import { Budgets } from '../app/budgets.ts'
import { checkAll, type CheckedPart } from '../app/check/index.ts'
import { stopSignal } from '../app/signals.ts'
import type { Finding } from '../finding.ts'
import { createLog } from '../log.ts'
import { type CommonOptions, exitStatus } from './command.ts'
import { openConfig } from './open.ts'

/** Options of `chatfeed check`. */
export interface CheckCommandOptions extends CommonOptions {
  json?: boolean
}

/**
 * `chatfeed check`: the doctor. Asks Kafka, the providers and the stores, changes nothing; exit status 1 when
 * something will not work.
 */
export async function check(options: CheckCommandOptions): Promise<number> {
  const signal = stopSignal()
  const { config, demo } = await openConfig(options)
  const log = createLog({ level: options.verbose ? 'debug' : 'error' })
  // Nothing is made where nothing is: the calls of the doctor are counted with the others once there are others.
  const budgets = new Budgets(config, log, { create: false })
  try {
    const onPart = (part: CheckedPart) => {
      if (!options.json) process.stdout.write(toText(part))
    }
    const parts = await checkAll({ config, log, budgets, signal, onPart })
    const findings = parts.flatMap((part) =>
      part.findings.map((finding) => ({ part: part.part, ...finding })),
    )
    const faults = findings.filter(({ level }) => level === 'fault').length
    const warnings = findings.filter(({ level }) => level === 'warning').length
    const ok = faults === 0 && !signal.aborted
    if (options.json) process.stdout.write(`${JSON.stringify({ ok, findings })}\n`)
    else process.stdout.write(`${faults} faults, ${warnings} warnings\n`)
    return ok ? exitStatus.done : exitStatus.failed
  } finally {
    budgets.close()
    await demo?.sandbox.close()
  }
}

const signs: Record<Finding['level'], string> = {
  ok: pc.green('ok     '),
  warning: pc.yellow('warning'),
  fault: pc.red('fault  '),
}

function toText({ part, findings }: CheckedPart): string {
  const lines = findings.flatMap(({ level, about, text, mend }) => [
    `  ${signs[level]} ${about}: ${text}`,
    ...(mend ? [`          ${pc.dim('→')} ${mend}`] : []),
  ])
  return [pc.bold(part), ...lines, '', ''].join('\n')
}
