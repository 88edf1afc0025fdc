import type { Config } from '../../config/config.ts'
import { explain } from '../../errors.ts'
import { fault, type Finding } from '../../finding.ts'
import type { Logger } from '../../log.ts'
import { checkRegistry } from '../../registry/check.ts'
import { checkSink } from '../../sinks/index.ts'
import type { Budgets } from '../budgets.ts'
import { topicNames } from '../../topics.ts'
import { subjectsOf } from '../open-codecs.ts'
import { configuredSource } from '../open-source.ts'
import { checkAttachments } from './attachments.ts'
import { checkKafka } from './kafka.ts'
import { checkMachine } from './machine.ts'

/** What was found about one part: the machine, the cluster, the schema registry, a source, a sink. */
export interface CheckedPart {
  part: string
  findings: Finding[]
}

/** What the doctor needs. */
export interface CheckOptions {
  config: Config
  log: Logger
  budgets: Budgets
  signal: AbortSignal
  /** Called as soon as a part is done. */
  onPart: (part: CheckedPart) => void
}

/** Looks at everything that a configuration names, one part after the other. Changes nothing. */
export async function checkAll(options: CheckOptions): Promise<CheckedPart[]> {
  const { config, log, budgets, signal, onPart } = options
  const parts: [string, () => Promise<Finding[]>][] = [
    ['machine', () => checkMachine(config, budgets)],
    ['kafka', () => checkKafka(config, log, signal)],
    ...[config.registry ?? []]
      .flat()
      .map((registry): [string, () => Promise<Finding[]>] => [
        'registry',
        () => checkRegistry(registry, subjectsOf(topicNames(config.kafka.topicPrefix)), signal),
      ]),
    ...config.sources.map((source): [string, () => Promise<Finding[]>] => [
      `source ${source.name} (${source.provider})`,
      async () => {
        const opened = configuredSource({ log, budgets }, source).open('check')
        try {
          return await opened.check(signal)
        } finally {
          await opened.close()
        }
      },
    ]),
    ['attachments', () => checkAttachments(config, log, budgets)],
    ...config.sinks.map((sink): [string, () => Promise<Finding[]>] => [
      `sink ${sink.name} (${sink.type})`,
      () => checkSink(sink),
    ]),
  ]
  const done: CheckedPart[] = []
  for (const [part, check] of parts) {
    if (signal.aborted) break
    const findings = await check().catch((error: unknown) => [
      fault(
        'check',
        explain(error),
        'This is a fault of chatfeed or of something it did not expect: please report it.',
      ),
    ])
    done.push({ part, findings })
    onPart({ part, findings })
  }
  return done
}
