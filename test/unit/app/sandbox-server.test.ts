import assert from 'node:assert/strict'
import { test } from 'node:test'
import { request } from 'undici'
import { startSandbox } from '../../../src/app/sandbox-server.ts'

test('links in answers follow the name under which the sandbox was asked', async (t) => {
  const now = () => Date.UTC(2026, 10, 24, 6, 30) // half past two in Beijing
  const server = await startSandbox({ host: '0.0.0.0', port: 0, now })
  t.after(() => server.close())
  const easemob = server.sandboxes.find(({ provider }) => provider === 'easemob')!
  const { org, app, clientId, clientSecret } = easemob.sourceConfig as Record<string, string>
  const headers = { host: 'sandbox:8789' }

  const token = await request(`${easemob.baseUrl}/${org}/${app}/token`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({
      grant_type: 'client_credentials',
      client_id: clientId,
      client_secret: clientSecret,
    }),
  })
  const { access_token: accessToken } = (await token.body.json()) as { access_token: string }
  const answer = await request(`${easemob.baseUrl}/${org}/${app}/chatmessages/2026112413`, {
    headers: { ...headers, authorization: `Bearer ${accessToken}` },
  })
  const { data } = (await answer.body.json()) as { data: { url: string }[] }

  assert.equal(new URL(data[0]!.url).host, 'sandbox:8789')
})

test('the address shown for a wildcard is one that this machine can ask', async (t) => {
  const server = await startSandbox({ host: '0.0.0.0', port: 0 })
  t.after(() => server.close())
  for (const { baseUrl, sourceConfig } of server.sandboxes) {
    assert.match(baseUrl, /^http:\/\/127\.0\.0\.1:\d+$/)
    assert.equal(sourceConfig['baseUrl'], baseUrl)
    const { statusCode, body } = await request(`${baseUrl}/served`)
    await body.dump()
    assert.equal(statusCode, 200)
  }
})

test('an address that is not of this machine is refused with the mend', async () => {
  await assert.rejects(startSandbox({ host: '192.0.2.1', port: 0 }), {
    code: 'port',
    mend: /--host takes an address of this machine/,
  })
})
