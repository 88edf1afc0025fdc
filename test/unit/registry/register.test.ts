import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { registryConfig } from '../../../src/registry/config.ts'
import { registeredText, registerSchemas, type Subject } from '../../../src/registry/register.ts'
import { Registry } from '../../../src/registry/registry.ts'
import { explain } from '../../../src/errors.ts'
import { type FakeRegistry, startRegistry } from '../../support/registry.ts'
import { changedSchema, without, withField } from '../../support/schema-change.ts'

const subjects: Subject[] = [
  { subject: 'chatfeed.raw.polyv-value', schema: 'raw-message' },
  { subject: 'chatfeed.unique-value', schema: 'raw-message' },
  { subject: 'chatfeed.messages-value', schema: 'message' },
  { subject: 'chatfeed.ledger-value', schema: 'ledger-entry' },
  { subject: 'chatfeed.unread-value', schema: 'unread-count' },
]
const signal = new AbortController().signal

function open(t: TestContext, { url }: FakeRegistry, more: object = {}): Registry {
  const registry = new Registry(registryConfig.parse({ url, ...more }))
  t.after(() => registry.close())
  return registry
}

const register = (t: TestContext, fake: FakeRegistry, may = true, more: object = {}) =>
  registerSchemas(open(t, fake, more), subjects, may, signal)

for (const style of ['confluent', 'apicurio'] as const) {
  test(`what is not registered is registered once, and found again (${style})`, async (t) => {
    const fake = await startRegistry(t, { style, path: '/apis/ccompat/v7' })
    const { ids, known } = await register(t, fake)
    assert.deepEqual(ids, { 'raw-message': 1, message: 2, 'ledger-entry': 3, 'unread-count': 4 })
    assert.deepEqual(
      known,
      [1, 2, 3, 4].map((id) => [id, fake.schemas.get(id)]),
    )
    assert.deepEqual(
      [...fake.subjects.keys()],
      subjects.map(({ subject }) => subject),
    )
    const writes = fake.calls.filter((call) => /^POST .*versions$/.test(call)).length
    assert.equal(writes, subjects.length)
    assert.deepEqual((await register(t, fake, false)).ids, ids, 'also where nothing may be registered')
    assert.equal(fake.calls.filter((call) => /^POST .*versions$/.test(call)).length, writes)
  })

  test(`one schema that is not compatible is refused by its field before anything is written (${style})`, async (t) => {
    const fake = await startRegistry(t, { style })
    // The last but one of the subjects: those before it would be registered already.
    fake.add('chatfeed.ledger-value', without('ledger-entry', 'lines'))
    await assert.rejects(register(t, fake), (error) => {
      const text = explain(error)
      assert.match(text, /chatfeed\.ledger-value: lines is new and has no default\..*kafka\.topicPrefix/)
      return (error as { code?: string }).code === 'schema_incompatible'
    })
    assert.deepEqual([...fake.subjects.keys()], ['chatfeed.ledger-value'])
  })

  test(`a refusal that comes only with the registration names the subject as well (${style})`, async (t) => {
    const fake = await startRegistry(t, { style, level: 'FULL' })
    fake.add('chatfeed.unread-value', without('unread-count', 'reason'))
    fake.add('chatfeed.messages-value', without('message', 'kind'))
    fake.instead = (method, path) =>
      path.startsWith('/compatibility') ? { status: 200, body: { is_compatible: true } } : undefined
    await assert.rejects(register(t, fake), {
      code: 'schema_incompatible',
      message: /messages-value: kind is new/,
    })
  })

  test(`a refused account is told apart from a wrong address, and never shown (${style})`, async (t) => {
    const authorization = `Basic ${Buffer.from('me:hidden-word').toString('base64')}`
    const fake = await startRegistry(t, { style, authorization })
    await register(t, fake, true, { username: 'me', password: 'hidden-word' })
    for (const more of [{}, { username: 'me', password: 'another-word' }, { token: 'another-word' }])
      await assert.rejects(register(t, fake, true, more), (error) => {
        assert.doesNotMatch(explain(error), /-word/)
        return (error as { code?: string }).code === 'registry_credentials'
      })
  })
}

test('a token is sent as bearer', async (t) => {
  const fake = await startRegistry(t, { authorization: 'Bearer abc' })
  assert.ok((await register(t, fake, true, { token: 'abc' })).ids)
})

test('where nothing may be registered, all that is missing is named with its file', async (t) => {
  const fake = await startRegistry(t)
  fake.add('chatfeed.messages-value', registeredText('message'))
  await assert.rejects(register(t, fake, false), (error) => {
    assert.match(
      explain(error),
      /chatfeed\.unique-value \(schemas\/raw-message\.avsc\), chatfeed\.ledger-value/,
    )
    assert.doesNotMatch(explain(error), /messages-value/)
    return (error as { code?: string }).code === 'schema_missing'
  })
  assert.equal(fake.subjects.size, 1)
})

test('every version of the subjects is known, and what is no Avro schema is known as such', async (t) => {
  const fake = await startRegistry(t)
  const older = without('message', 'data')
  const newer = withField('message', 'mood')
  fake.add('chatfeed.messages-value', older)
  fake.add('chatfeed.messages-value', registeredText('message'))
  fake.add('chatfeed.messages-value', newer)
  const { ids, known } = await register(t, fake)
  assert.equal(ids?.message, 2)
  assert.deepEqual(
    known.filter(([id]) => id < 4),
    [
      [1, older],
      [2, registeredText('message')],
      [3, newer],
    ],
  )
  fake.instead = (_method, path) =>
    path.endsWith('versions/3')
      ? { status: 200, body: { id: 3, schemaType: 'JSON', schema: '{}' } }
      : undefined
  assert.deepEqual(
    (await register(t, fake)).known.find(([id]) => id === 3),
    [3, null],
  )
})

test('a registry that cannot answer may be asked again; one that is none may not', async (t) => {
  const fake = await startRegistry(t)
  const answers: [Parameters<typeof Object.is>[0], string, string][] = [
    [{ status: 503, body: '<html>no server available</html>' }, 'transient', 'registry_unavailable'],
    [{ status: 500, body: { error_code: 50002, message: 'timed out' } }, 'transient', 'registry_unavailable'],
    [{ status: 429, body: {} }, 'transient', 'registry_unavailable'],
    ['drop', 'transient', 'registry_unreachable'],
    [{ status: 200, body: '<html>Please log in</html>' }, 'fatal', 'registry_address'],
    [{ status: 302, body: '' }, 'fatal', 'registry_address'],
    [{ status: 404, body: '<html>Not Found</html>' }, 'fatal', 'registry_address'],
    [{ status: 404, body: { error_code: 404, message: 'HTTP 404 Not Found' } }, 'fatal', 'registry_address'],
    [{ status: 403, body: { error_code: 40301, message: 'denied' } }, 'fatal', 'registry_forbidden'],
    [{ status: 422, body: { error_code: 42201, message: 'Invalid schema' } }, 'fatal', 'registry_refused'],
    [{ status: 200, body: { id: 'one' } }, 'fatal', 'registry_refused'],
  ]
  for (const [answer, remedy, code] of answers) {
    fake.instead = () => answer as ReturnType<NonNullable<FakeRegistry['instead']>>
    await assert.rejects(register(t, fake), (error) => {
      const found = error as { remedy?: string; code?: string; mend?: string; message: string }
      assert.deepEqual([found.remedy, found.code], [remedy, code], JSON.stringify(answer))
      assert.ok(found.mend)
      assert.ok(found.message.includes(fake.url))
      return true
    })
  }
})

test('one schema under a level that asks for both directions may get a field with a default', async (t) => {
  const fake = await startRegistry(t, { level: 'FULL' })
  fake.add('chatfeed.messages-value', without('message', 'data'))
  assert.ok((await register(t, fake)).ids)
  const renamed = changedSchema('message', (fields) =>
    fields.map((field) => (field.name === 'id' ? { ...field, type: 'long' } : field)),
  )
  fake.subjects.clear()
  fake.add('chatfeed.messages-value', renamed)
  await assert.rejects(register(t, fake), { message: /messages-value: id was long and is string/ })
})
