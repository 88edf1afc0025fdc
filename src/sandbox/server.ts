import { serve, type ServerType } from '@hono/node-server'
import type { Hono } from 'hono'
import { ChatfeedError } from '../errors.ts'
import { providers } from '../providers/index.ts'
import type { Sandbox } from '../providers/provider.ts'

/** Easemob's simulation listens here unless told otherwise, Polyv's on the next port. */
export const defaultSandboxPort = 8789

export interface SandboxServerOptions {
  /** The first provider listens here, the next one port further; 0 takes any free ports. */
  port: number
  seed?: number
  /** In the busiest hour, of each provider. */
  messagesPerHour?: number
  now?: () => number
  /** Passed to every provider's sandbox; each knows its own. */
  overrides?: Record<string, unknown>
}

/** A running simulated provider. */
export interface RunningSandbox {
  provider: string
  baseUrl: string
  /** A `sources:` entry that reads it. */
  sourceConfig: Record<string, unknown>
  served: Sandbox['served']
}

export interface SandboxServer {
  sandboxes: RunningSandbox[]
  close(): Promise<void>
}

/**
 * Serves every simulated provider on the loopback interface, each on its own port. Beside the provider's own
 * interface, `GET /served` tells what was handed out: rows, distinct messages, distinct revisions.
 */
export async function startSandbox(options: SandboxServerOptions): Promise<SandboxServer> {
  const { port, seed = 1, messagesPerHour = 240, now = Date.now, overrides = {} } = options
  const servers: ServerType[] = []
  const sandboxes: RunningSandbox[] = []
  const close = async () => {
    await Promise.all(servers.map(closeServer))
  }
  try {
    for (const [index, provider] of providers.entries()) {
      const sandbox = provider.sandbox({ ...overrides, seed, messagesPerHour, now })
      sandbox.app.get('/served', (context) => context.json(sandbox.served()))
      const server = await listen(sandbox.app, port === 0 ? 0 : port + index)
      servers.push(server)
      const address = server.address()
      const baseUrl = `http://127.0.0.1:${address && typeof address === 'object' ? address.port : port}`
      sandboxes.push({
        provider: provider.name,
        baseUrl,
        sourceConfig: sandbox.sourceConfig(baseUrl),
        served: () => sandbox.served(),
      })
    }
  } catch (error) {
    await close()
    throw error
  }
  return { sandboxes, close }
}

function listen(app: Hono, port: number): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: '127.0.0.1' }, () => {
      resolve(server)
    })
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new ChatfeedError(
          'fatal',
          'port',
          `The sandbox cannot listen on port ${port} (${cause.code ?? cause.message}).`,
          {
            cause,
            mend: 'Choose another with --port, or 0 for any free one.',
          },
        ),
      )
    })
  })
}

function closeServer(server: ServerType): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve()
    })
    if ('closeAllConnections' in server) server.closeAllConnections()
  })
}
