import type { Answer } from './wire.ts'

const html = { 'content-type': 'text/html' }
const json = { 'content-type': 'application/json' }

const answer = (status: number, headers: Record<string, string>, text: string): Answer => ({
  status,
  headers,
  body: Buffer.from(text),
})

/** What stands between a client and a service says such things. */
export const foreignAnswers: readonly Answer[] = [
  answer(200, html, '<html><body>Please sign in to the network</body></html>'),
  answer(200, json, ''),
  answer(200, json, '[]'),
  answer(200, json, '{}'),
  answer(404, html, '<html><h1>404 Not Found</h1><hr>nginx</html>'),
  answer(404, json, '{"message":"no Route matched with those values"}'),
  answer(500, json, '{"timestamp":1,"status":500,"error":"Internal Server Error","path":"/"}'),
  answer(503, html, ''),
  answer(504, json, '{"error":"Gateway Timeout"}'),
]
