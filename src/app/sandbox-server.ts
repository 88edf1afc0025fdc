import { serve, type ServerType } from '@hono/node-server'
import type { Hono } from 'hono'
import { ChatfeedError } from '../errors.ts'
import { providers } from '../providers/index.ts'
import type { Sandbox } from '../providers/provider.ts'

/** Easemob's simulation listens here unless told otherwise, Polyv's on the next port. */
export const defaultSandboxPort = 8789

/** Where the simulations listen and what they say. */
export interface SandboxServerOptions {
  /** The address to listen on. Beyond this machine only in a network of your own: it simulates, it does not protect. */
  host?: string
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
  /** Where this machine reaches it. */
  baseUrl: string
  /** A `sources:` entry that reads it. */
  sourceConfig: Record<string, unknown>
  served: Sandbox['served']
}

/** The running simulations; `close` ends their connections. */
export interface SandboxServer {
  sandboxes: RunningSandbox[]
  close(): Promise<void>
}

/**
 * Serves every simulated provider, each on its own port, on the loopback interface unless `host` says otherwise.
 * Beside the provider's own interface, `GET /served` tells what was handed out: rows, distinct messages, distinct
 * revisions. Links in answers follow the Host header, so that they fit under whatever name the caller knows it.
 */
export async function startSandbox(options: SandboxServerOptions): Promise<SandboxServer> {
  const {
    host = '127.0.0.1',
    port,
    seed = 1,
    messagesPerHour = 240,
    now = Date.now,
    overrides = {},
  } = options
  const servers: ServerType[] = []
  const sandboxes: RunningSandbox[] = []
  const close = async () => {
    await Promise.all(servers.map(closeServer))
  }
  try {
    for (const [index, provider] of providers.entries()) {
      const sandbox = provider.sandbox({ ...overrides, seed, messagesPerHour, now })
      sandbox.app.get('/served', (context) => context.json(sandbox.served()))
      const server = await listen(sandbox.app, host, port === 0 ? 0 : port + index)
      servers.push(server)
      const address = server.address()
      const bound = address && typeof address === 'object' ? address.port : port
      const baseUrl = `http://${reachable(host)}:${bound}`
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

/** The host part of an address at which this machine reaches a server that listens on `host`. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

function listen(app: Hono, host: string, port: number): Promise<ServerType> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, port, hostname: host }, () => {
      resolve(server)
    })
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        new ChatfeedError(
          'fatal',
          'port',
          `The sandbox cannot listen on port ${port} of ${host} (${cause.code ?? cause.message}).`,
          {
            cause,
            mend: 'Choose another port with --port, 0 for any free one; --host takes an address of this machine.',
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
