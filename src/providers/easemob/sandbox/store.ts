/** The object store behind the links of the sandbox. */
import { createHmac } from 'node:crypto'
import type { Context } from 'hono'
import { z } from 'zod'

/**
 * The path with its end of life (epoch seconds) and signature. The signature always has %2B, %2F and %3D in it, as
 * real ones often do: a client that rewrites the link fails at once.
 */
export function signPath(path: string, endsAt: number, seed: number): string {
  for (let attempt = 1; ; attempt++) {
    const keyId = `SANDBOX${attempt}`
    const signature = createHmac('sha1', String(seed)).update(`${keyId}\n${endsAt}\n${path}`).digest('base64')
    if (!signature.includes('+') || !signature.includes('/')) continue
    return `${path}?Expires=${endsAt}&OSSAccessKeyId=${keyId}&Signature=${encodeURIComponent(signature)}`
  }
}

/** The address as it came over the wire: parsing may rewrite it, and signatures are checked to the byte. */
export function rawUrl(context: Context): string {
  const bindings = z.object({ incoming: z.object({ url: z.string() }) }).safeParse(context.env)
  return bindings.data?.incoming.url ?? context.req.url
}

/** An answer in the store's own form. */
export function storeError(status: number, code: string, message: string): Response {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`
  return new Response(xml, { status, headers: { 'content-type': 'application/xml' } })
}

/** Sends a file; calls `onSent` when its body has been taken to the end. */
export function sendWhole(bytes: Buffer, onSent: () => void): Response {
  let at = 0
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at < bytes.length) controller.enqueue(bytes.subarray(at, (at += 65_536)))
        else {
          onSent()
          controller.close()
        }
      },
    },
    { highWaterMark: 0 },
  )
  const headers = { 'content-type': 'application/x-gzip', 'content-length': String(bytes.length) }
  return new Response(body, { headers })
}
