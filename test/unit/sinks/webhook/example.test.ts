import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { freePort } from '../../../../src/broker/ports.ts'
import { messageJson } from '../../../../src/sinks/message-json.ts'
import { signature } from '../../../../src/sinks/webhook/signature.ts'
import { until } from '../../../support/kafka.ts'
import { message } from '../../samples.ts'

const script = fileURLToPath(new URL('../../../../examples/webhook/receive.mjs', import.meta.url))

test('the example of a receiver takes what is signed and recent, each message once', async (t) => {
  const port = await freePort()
  const receiver: ChildProcess = spawn(process.execPath, [script], {
    env: { ...process.env, SECRET: 'shared', PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => receiver.kill('SIGKILL'))
  let printed = ''
  receiver.stdout?.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const body = `[${messageJson({ ...message, text: '退款' })}]`
  const post = async (secret: string, atMs: number) => {
    const headers = { 'chatfeed-signature': signature(secret, body, atMs) }
    const answer = await request(`http://127.0.0.1:${port}`, { method: 'POST', headers, body })
    await answer.body.dump()
    return answer.statusCode
  }
  await until('it listens', () =>
    post('wrong', Date.now()).then(
      (status) => status === 401,
      () => false,
    ),
  )
  assert.equal(await post('shared', Date.now() - 3_600_000), 401)
  assert.deepEqual([await post('shared', Date.now()), await post('shared', Date.now())], [204, 204])
  await until('it prints', () => printed.endsWith('\n'))
  assert.equal(printed, `${message.id} ${message.revision} 退款\n`)
})
