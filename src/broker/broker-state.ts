import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { ProcessIdentity } from './process-identity.ts'

/** What chatfeed processes tell each other about the broker of a directory; read and written under the directory lock. */
export interface BrokerState {
  /** The broker last started here, running or not. */
  broker: ProcessIdentity
  /** Of that broker. The next one takes it again when it is free, so that clients find their way back. */
  port: number
  kafkaVersion: string
  /** One entry for each use, also of processes that died without a release. */
  users: ProcessIdentity[]
}

const identity = z.object({ pid: z.int(), birth: z.string() })
const schema: z.ZodType<BrokerState> = z.object({
  broker: identity,
  port: z.int(),
  kafkaVersion: z.string(),
  users: z.array(identity),
})

/** Null before the first start, or when the file is damaged: Kafka's own lock then still guards the data. */
export function readState(directory: string): BrokerState | null {
  try {
    return schema.parse(JSON.parse(readFileSync(path(directory), 'utf8')))
  } catch {
    return null
  }
}

/** Replaces the state file of a directory. */
export function writeState(directory: string, state: BrokerState): void {
  writeFileSync(`${path(directory)}.new`, `${JSON.stringify(state, null, 2)}\n`)
  renameSync(`${path(directory)}.new`, path(directory))
}

function path(directory: string): string {
  return join(directory, 'broker.json')
}
