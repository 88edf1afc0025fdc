import { type Config, configFrom } from '../config/config.ts'
import { type SandboxServer, startSandbox } from '../sandbox/server.ts'

/** The demonstration: both simulated providers, the embedded broker, SQLite. */
export interface Demo {
  config: Config
  sandbox: SandboxServer
}

/**
 * Starts the simulated providers on free ports and makes a configuration that reads them. Their history depends
 * on seed and time alone, so every process and every start sees the same messages.
 */
export async function startDemo(): Promise<Demo> {
  const sandbox = await startSandbox({ port: 0, overrides: { callsPerMinute: 600 } })
  return {
    sandbox,
    config: configFrom({ sources: sandbox.sandboxes.map(({ sourceConfig }) => sourceConfig) }),
  }
}
