import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startHttp } from '../../../src/app/http.ts'
import { silentLog } from '../../../src/log.ts'

test('health and readiness tell what they are told, with the reasons', async (t) => {
  let alive = true
  let reasons: string[] = []
  const http = await startHttp({
    host: '127.0.0.1',
    port: 0,
    log: silentLog,
    isAlive: () => alive,
    notReady: () => reasons,
  })
  assert.ok(http)
  t.after(() => {
    http.close()
  })
  const ask = async (path: string): Promise<[number, unknown]> => {
    const answer = await fetch(`${http.url}${path}`)
    return [answer.status, await answer.json()]
  }
  assert.deepEqual(await ask('/healthz'), [200, { alive: true }])
  assert.deepEqual(await ask('/readyz'), [200, { ready: true, reasons: [] }])
  alive = false
  reasons = ['sink:search: The database is locked by another program.']
  assert.deepEqual(await ask('/healthz'), [503, { alive: false }])
  assert.deepEqual(await ask('/readyz'), [503, { ready: false, reasons }])
})
