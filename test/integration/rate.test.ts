import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { suite, test } from 'node:test'
import { runChatfeed } from '../support/chatfeed.ts'
import { startScene } from '../support/scene.ts'

suite('limits of the providers', () => {
  test('a ban holds across a restart: no call is made before it has ended, and the user hears why', async (t) => {
    let calls = 0
    const polyv = createServer((_, response) => {
      calls++
      response.writeHead(400, { 'content-type': 'application/json' })
      response.end('{"code":400,"status":"error","message":"qps exceeds number of calls","data":""}')
    }).listen(0, '127.0.0.1')
    await once(polyv, 'listening')
    t.after(() => polyv.close())
    const { port } = polyv.address() as { port: number }
    const scene = await startScene(t, {
      since: '3h',
      sources: { polyv: { baseUrl: `http://127.0.0.1:${port}` } },
    })
    for (const words of [/too many calls/, /no call is made for \d+ s more/]) {
      const { status, stdout } = await runChatfeed(t, ['up', '--once'], { cwd: scene.folder })
      assert.equal(status, 1)
      assert.match(stdout, words)
      assert.match(stdout, /support: [1-9]\d* units read|support: 0 units read/, 'the other source is read')
      assert.equal(calls, 1)
    }
  })
})
