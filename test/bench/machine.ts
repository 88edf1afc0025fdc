import { spawnSync } from 'node:child_process'
import { cpus, release, totalmem, type } from 'node:os'
import { kafkaVersion } from '../../src/broker/jars.ts'

/** Versions and machine, as Markdown; nothing that tells whose machine it is. */
export function machine(): string {
  const cores = cpus()
  return [
    `- ${new Date().toISOString().slice(0, 10)}; Node ${process.version}; Kafka ${kafkaVersion()}, one embedded node on the same cores`,
    `- ${cores.length} cores, ${cores[0]?.model ?? 'unknown'}; ${Math.round(totalmem() / 2 ** 30)} GB of memory; ${type()} ${release().split('-')[0]}`,
  ].join('\n')
}

/** What a program prints; null where it is not on the PATH or fails. */
export function wordsOf(command: string, ...words: string[]): string | null {
  const { status, stdout, stderr } = spawnSync(command, words, { encoding: 'utf8' })
  return status === 0 ? `${stdout}${stderr}` : null
}
