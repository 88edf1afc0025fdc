import { join } from 'node:path'
import type { CommonOptions } from './command.ts'
import { type Config, configFile, configFrom, readConfig } from '../config/config.ts'
import { createLog, type Logger } from '../log.ts'
import { type Demo, startDemo } from '../app/demo.ts'
import { openRuntime, type Runtime } from '../app/runtime.ts'
import { stopSignal } from '../app/signals.ts'

/** The configuration of a command; the simulated providers run with it where there is none. */
export interface Opened {
  config: Config
  demo: Demo | null
}

/** Reads the configuration, or starts the demonstration, which the caller must close. Throws ConfigError. */
export async function openConfig(options: CommonOptions): Promise<Opened> {
  const file = configFile(options.config)
  if (file !== null) return { config: readConfig(file), demo: null }
  const demo = await startDemo()
  return { config: demo.config, demo }
}

/** The configuration of a command that asks no provider: in the demonstration its sources are left out. */
export function storesConfig(options: CommonOptions): Config {
  const file = configFile(options.config)
  return file === null ? configFrom({ sources: [] }) : readConfig(file)
}

/** Logs to standard error; to a file under the data directory while the terminal shows a picture. */
export function openLog(options: CommonOptions, config: Config, quiet: boolean): Logger {
  const level = options.verbose ? 'debug' : 'info'
  if (quiet && !options.verbose) return createLog({ level, file: join(config.dataDir, 'chatfeed.log') })
  return createLog({ level })
}

/** Runs a short command against the cluster, and leaves nothing behind. Its progress goes to standard error. */
export async function withRuntime<T>(
  options: CommonOptions,
  use: (runtime: Runtime, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = stopSignal()
  const { config, demo } = await openConfig(options)
  const log = createLog({ level: options.verbose ? 'debug' : 'error' })
  let runtime: Runtime | undefined
  try {
    runtime = await openRuntime({
      config,
      log,
      signal,
      onProgress: (text) => process.stderr.write(`${text}\n`),
    })
    return await use(runtime, signal)
  } finally {
    await runtime?.close()
    await demo?.sandbox.close()
  }
}
