import { stringify } from 'yaml'
import { stopSignal, whenStopped } from '../app/signals.ts'
import { type CommonOptions, exitStatus } from './command.ts'
import { startSandbox } from '../app/sandbox-server.ts'

/** Options of `chatfeed sandbox`. */
export interface SandboxCommandOptions extends CommonOptions {
  host: string
  port: number
  seed: number
  messagesPerHour: number
  json?: boolean
}

/** `chatfeed sandbox`: both simulated providers, until a signal. Prints their addresses and a configuration. */
export async function sandbox(options: SandboxCommandOptions): Promise<number> {
  const { host, port, seed, messagesPerHour, json } = options
  const signal = stopSignal()
  const server = await startSandbox({ host, port, seed, messagesPerHour })
  const addresses = server.sandboxes.map(({ provider, baseUrl }) => ({
    provider,
    baseUrl,
    served: `${baseUrl}/served`,
  }))
  const sources = server.sandboxes.map(({ sourceConfig }) => sourceConfig)
  if (json) process.stdout.write(`${JSON.stringify({ sandboxes: addresses, sources })}\n`)
  else {
    const told = addresses.map(
      ({ provider, baseUrl, served }) => `# ${provider.padEnd(8)} ${baseUrl}   handed out so far: ${served}`,
    )
    process.stdout.write(`${told.join('\n')}\n# A configuration that reads them:\n${stringify({ sources })}`)
  }
  await whenStopped(signal)
  await server.close()
  return exitStatus.done
}
