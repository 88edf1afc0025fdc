import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, parseConfig } from '../../../src/config/config.ts'

const parsed = (registry: string, environment = {}) =>
  parseConfig(`sources: []\nregistry: ${registry}`, 'file', environment).registry
const faultsOf = (registry: string): string[] => {
  try {
    parsed(registry)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
  return []
}

test('an address may have a path, and loses the slash at its end', () => {
  assert.deepEqual(parsed('{ url: "http://127.0.0.1:8081" }'), {
    url: 'http://127.0.0.1:8081',
    register: true,
  })
  const { url, register } = parsed(
    '{ url: "https://h/apis/ccompat/v7/", register: "${REGISTER}", token: t }',
    {
      REGISTER: 'false',
    },
  )!
  assert.deepEqual([url, register], ['https://h/apis/ccompat/v7', false])
})

test('what cannot be meant is told with the mend, and without the values', () => {
  assert.match(faultsOf('{ url: "h:8081" }').join(), /registry\.url: write http:\/\/host:port/)
  const credentials = faultsOf('{ url: "https://me:hidden@h" }').join()
  assert.match(credentials, /registry\.url: leave the credentials out/)
  assert.doesNotMatch(credentials, /hidden/)
  assert.match(faultsOf('{ url: "https://h", username: me }').join(), /username and password, or neither/)
  assert.match(faultsOf('{ url: "https://h", username: a, password: b, token: c }').join(), /registry\.token/)
  assert.match(faultsOf('{ url: "http://h", tls: { ca: x } }').join(), /registry\.tls: .*https/)
  assert.match(faultsOf('{ url: "https://h", user: me }').join(), /unknown key user/)
  assert.match(faultsOf('{}').join(), /registry\.url/)
})
