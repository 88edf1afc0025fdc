import { setTimeout as delay } from 'node:timers/promises'
import { ChatfeedError, explain } from '../errors.ts'
import { Connection } from '../kafka/connection.ts'
import { measureLag } from './lag.ts'
import { whenStopped } from './signals.ts'
import type { Pipeline } from './pipeline.ts'
import type { Runtime } from './runtime.ts'

/** What a `once` run came to. */
export interface OnceSummary {
  sources: {
    name: string
    units: number
    lines: number
    lost: string[]
    failed: string[]
    stopped: string | null
  }[]
  /** `rows` is null for a store that cannot tell. */
  sinks: { name: string; rows: number | null }[]
  /** Nothing was lost and no source failed. */
  ok: boolean
}

const patienceMs = 120_000

/**
 * Waits until every due unit is read and carried through every role of this process. Throws ChatfeedError when a
 * stage makes no progress for two minutes.
 */
export async function runOnce(
  runtime: Runtime,
  pipeline: Pipeline,
  signal: AbortSignal,
): Promise<OnceSummary> {
  await Promise.race([pipeline.ingest?.finished(), whenStopped(signal)])
  const connection = new Connection(runtime.kafka, runtime.log, signal)
  try {
    for (const stage of pipeline.stages) await drain(connection, stage, signal)
  } finally {
    await connection.close()
  }
  const sources = [...pipeline.ended].map(([name, { error, ...pass }]) => ({
    name,
    ...pass,
    stopped: error && explain(error),
  }))
  const sinks = await Promise.all(
    [...pipeline.sinks].map(async ([name, sink]) => ({ name, rows: await sink.rows() })),
  )
  const ok = sources.every(
    ({ lost, failed, stopped }) => lost.length === 0 && failed.length === 0 && stopped === null,
  )
  return { sources, sinks, ok }
}

async function drain(
  connection: Connection,
  stage: { name: string; groupId: string; inputs: readonly string[] },
  signal: AbortSignal,
): Promise<void> {
  let least = Infinity
  let progressAt = Date.now()
  while (!signal.aborted) {
    let lag = 0
    for (const topic of stage.inputs) lag += (await measureLag(connection, stage.groupId, topic, 'end')).lag
    if (lag === 0) return
    if (lag < least) {
      least = lag
      progressAt = Date.now()
    }
    if (Date.now() - progressAt > patienceMs) {
      throw new ChatfeedError(
        'transient',
        'stalled',
        `${stage.name} is ${lag} records behind and makes no progress.`,
        {
          mend: 'The log says why; what was not carried through will be at the next run.',
        },
      )
    }
    await delay(50, undefined, { signal }).catch(() => undefined)
  }
}
