import { serve, type ServerType } from '@hono/node-server'
import { Hono } from 'hono'
import type { Logger } from '../log.ts'
import { registry } from '../metrics.ts'

/** Where to listen, and what health and readiness ask. */
export interface HttpOptions {
  host: string
  port: number
  log: Logger
  /** False once a role has failed for good: the process is about to end, or hangs on its way out. */
  isAlive: () => boolean
  /** What is not yet as it should be; empty when this process is ready. */
  notReady: () => string[]
}

/**
 * Serves `/metrics` (Prometheus), `/healthz` (no role has failed for good) and `/readyz` (503 with the reasons while
 * sources are unread or stages behind). Resolves to null, with a warning, when the port is taken: several
 * processes of one configuration may share a machine.
 */
export async function startHttp({
  host,
  port,
  log,
  isAlive,
  notReady,
}: HttpOptions): Promise<{ url: string; close(): void } | null> {
  const app = new Hono()
  app.get('/metrics', async (context) =>
    context.body(await registry.metrics(), 200, { 'content-type': registry.contentType }),
  )
  app.get('/healthz', (context) => {
    const alive = isAlive()
    return context.json({ alive }, alive ? 200 : 503)
  })
  app.get('/readyz', (context) => {
    const reasons = notReady()
    return context.json({ ready: reasons.length === 0, reasons }, reasons.length === 0 ? 200 : 503)
  })
  return new Promise((resolve) => {
    const server: ServerType = serve({ fetch: app.fetch, hostname: host, port }, ({ port: bound }) => {
      resolve({
        url: `http://${host}:${bound}`,
        close: () => {
          server.close()
          if ('closeAllConnections' in server) server.closeAllConnections()
        },
      })
    })
    server.once('error', (error: NodeJS.ErrnoException) => {
      log.warn(
        { host, port, code: error.code },
        'no /metrics, /healthz and /readyz: choose another http.port, or 0',
      )
      resolve(null)
    })
  })
}
