import { join, resolve } from 'node:path'
import { ChatfeedError } from '../errors.ts'
import { fault, fine, type Finding } from '../finding.ts'
import { readState } from './broker-state.ts'
import { haveKafka, kafkaVersion } from './jars.ts'
import { findJava } from './java.ts'
import { isRunning } from './process-identity.ts'

/** The address of the embedded broker of a data directory, if it runs. */
export function runningBroker(dataDir: string): string | null {
  const state = readState(join(resolve(dataDir), 'kafka'))
  return state !== null && isRunning(state.broker) ? `127.0.0.1:${state.port}` : null
}

/** Whether this machine can run the embedded broker; starts and downloads nothing. */
export async function checkEmbeddedBroker(): Promise<Finding[]> {
  try {
    const java = await findJava()
    const kafka = (await haveKafka())
      ? fine('kafka', `Apache Kafka ${kafkaVersion()} is there.`)
      : fine('kafka', `Apache Kafka ${kafkaVersion()} will be downloaded by Maven at the first start.`)
    return [fine('java', `The embedded broker will run with ${java}.`), kafka]
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    return [fault('java', error.message, error.mend ?? '')]
  }
}
