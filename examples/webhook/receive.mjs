// Takes deliveries of a chatfeed webhook that are signed and not too old: SECRET=… node receive.mjs
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

const oldestMs = 300_000

function isSigned(header, body) {
  const { t = '', v1 = '' } = Object.fromEntries(header.split(',').map((part) => part.split('=')))
  const expected = createHmac('sha256', process.env.SECRET ?? '')
    .update(`${t}.${body}`)
    .digest()
  const given = Buffer.from(v1, 'hex')
  const isRecent = Math.abs(Date.now() - Number(t)) < oldestMs
  return isRecent && given.length === expected.length && timingSafeEqual(given, expected)
}

const newest = new Map()

createServer(async (request, response) => {
  const body = await text(request)
  if (!isSigned(request.headers['chatfeed-signature'] ?? '', body)) return response.writeHead(401).end()
  for (const message of JSON.parse(body)) {
    if (message.revision <= (newest.get(message.id) ?? 0)) continue // it has come before
    newest.set(message.id, message.revision)
    process.stdout.write(`${message.id} ${message.revision} ${message.text}\n`)
  }
  response.writeHead(204).end()
}).listen(Number(process.env.PORT ?? 8080), '127.0.0.1')
