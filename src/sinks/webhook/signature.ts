import { createHmac } from 'node:crypto'

/** `t=MS,v1=HEX`: HMAC-SHA256 of `MS.BODY`. The time lets a receiver refuse old requests that somebody plays again. */
export function signature(secret: string, body: string, nowMs: number): string {
  const hex = createHmac('sha256', secret).update(`${nowMs}.${body}`, 'utf8').digest('hex')
  return `t=${nowMs},v1=${hex}`
}
