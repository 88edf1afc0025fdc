import { type Config, configFrom } from '../config/config.ts'
import { ChatfeedError } from '../errors.ts'
import { defaultSandboxPort, type SandboxServer, startSandbox } from './sandbox-server.ts'

/** The demonstration: both simulated providers, the embedded broker, SQLite. */
export interface Demo {
  config: Config
  sandbox: SandboxServer
}

/**
 * Starts the simulated providers, on their usual ports where these are free, and makes a configuration that reads them. Their history depends
 * on seed and time alone, so every process and every start sees the same messages.
 */
export async function startDemo(): Promise<Demo> {
  // The demonstration's account is sold a higher call limit, so that three days are read in seconds.
  const overrides = { callsPerMinute: 600 }
  const sandbox = await startSandbox({ port: defaultSandboxPort, overrides }).catch((error: unknown) => {
    if (!(error instanceof ChatfeedError && error.code === 'port')) throw error
    return startSandbox({ port: 0, overrides })
  })
  return {
    sandbox,
    config: configFrom({ sources: sandbox.sandboxes.map(({ sourceConfig }) => sourceConfig) }),
  }
}
