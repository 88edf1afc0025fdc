import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { javaEnvironment } from '../config/java-environment.ts'
import { ChatfeedError } from '../errors.ts'
import { lastWords } from './last-words.ts'

// Measured on two cores: the first compiler alone and the serial collector take half of the processor time of the
// default, at the start and under load, and less memory.
const javaOptions = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData']

// Kafka's own chatter at "info" is 150 KB a start and grows for ever after.
const logOptions = [
  'defaultLogLevel=warn',
  'log.kafka.server.KafkaRaftServer=info',
  'showDateTime=true',
  "dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
  'showThreadName=false',
].map((option) => `-Dorg.slf4j.simpleLogger.${option}`)

/** What a Kafka process is started with. */
export interface KafkaFiles {
  /** Its working directory: holds `server.properties`, `data` and `broker.log`. */
  directory: string
  /** The `java` to run. */
  java: string
  /** The folder of Kafka's jars. */
  jars: string
}

/** A spawned Kafka and the end of it. */
export interface KafkaProcess {
  child: ChildProcess
  /** Resolves with how it ended: `exit status 1`, `SIGKILL`, or why there was no process at all. */
  ended: Promise<string>
}

/**
 * Runs a main class of Kafka in a process group of its own, where Ctrl-C in the terminal does not reach it and from
 * where it outlives us. `server.properties` is its last argument; what it says goes to a fresh `broker.log`.
 */
export function runKafka(files: KafkaFiles, mainClass: string, ...args: string[]): KafkaProcess {
  const { directory, java, jars } = files
  const logFile = logFileOf(directory)
  if (existsSync(logFile)) renameSync(logFile, join(directory, 'broker.previous.log'))
  // Kafka unpacks native code into Java's temporary folder, and leaves it there when it is killed.
  const temporary = join(directory, 'tmp')
  rmSync(temporary, { recursive: true, force: true })
  mkdirSync(temporary)
  const options = [...javaOptions, ...logOptions, `-Djava.io.tmpdir=${temporary}`, '-cp', join(jars, '*')]
  const output = openSync(logFile, 'a')
  const child = spawn(java, [...options, mainClass, ...args, 'server.properties'], {
    cwd: directory,
    detached: true,
    env: javaEnvironment(),
    stdio: ['ignore', output, output],
  })
  closeSync(output)
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => {
      resolve(error.message)
    })
    child.once('exit', (status, signal) => {
      resolve(signal ?? `exit status ${status}`)
    })
  })
  return { child, ended }
}

/** The error for a Kafka that did not do as it should, with its last words. */
export function kafkaFailed(directory: string, what: string): ChatfeedError {
  const message = `${what}. Its last words:\n${lastWords(logFileOf(directory))}\n`
  return new ChatfeedError('fatal', 'broker_failed', message, {
    mend: `The whole log is ${logFileOf(directory)}; the data are in ${join(directory, 'data')}.`,
  })
}

/** What the Kafka of a directory says. */
export function logFileOf(directory: string): string {
  return join(directory, 'broker.log')
}
