import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRegistry } from '../../src/registry/check.ts'
import { subjectsOf } from '../../src/app/open-codecs.ts'
import { openRuntime } from '../../src/app/runtime.ts'
import { configFrom } from '../../src/config/config.ts'
import { explain } from '../../src/errors.ts'
import { idIn } from '../../src/framing.ts'
import { silentLog } from '../../src/log.ts'
import { registryConfig } from '../../src/registry/config.ts'
import { registeredText, registerSchemas } from '../../src/registry/register.ts'
import { Registry } from '../../src/registry/registry.ts'
import { topicNames } from '../../src/topics.ts'
import { readCommitted } from '../support/kafkajs-reader.ts'
import { runRoles } from '../support/run-once.ts'
import { startScene } from '../support/scene.ts'
import { startApicurio } from '../support/stores/apicurio.ts'
import { without, withField } from '../support/schema-change.ts'

test('Apicurio', async (t) => {
  const { url, setLevel, stop } = await startApicurio(t)
  const registry = new Registry(registryConfig.parse({ url }))
  t.after(() => registry.close())
  const signal = new AbortController().signal
  const agree = (prefix: string, register = true) =>
    registerSchemas(registry, subjectsOf(topicNames(prefix)), register, signal)
  const check = (prefix: string) =>
    checkRegistry(registryConfig.parse({ url }), subjectsOf(topicNames(prefix)), signal)

  await t.test(
    'schemas are registered once and found again; who may not register says what is missing',
    async () => {
      await assert.rejects(agree('a.', false), { code: 'schema_missing', message: /a\.messages-value/ })
      const { ids, known } = await agree('a.')
      assert.equal(new Set(Object.values(ids ?? {})).size, 4)
      assert.deepEqual(
        known.map(([, text]) => text).sort(),
        (['ledger-entry', 'message', 'raw-message', 'unread-count'] as const).map(registeredText).sort(),
      )
      assert.deepEqual(await agree('a.', false), { ids, known })
      const text = (await check('a.')).map(({ level, about }) => `${level} ${about}`)
      assert.ok(text.includes('ok subject a.messages-value'))
      assert.ok(text.includes('warning compatibility'), 'its level is NONE by default')
      assert.ok((await check('b.')).every(({ level }) => level !== 'fault'))
      assert.equal(
        await registry.lookUp('b.unique-value', registeredText('raw-message'), signal),
        null,
        'check registers nothing',
      )
    },
  )

  await t.test(
    'a change that breaks readers is refused by its field, and then nothing is registered',
    async () => {
      await setLevel('FULL')
      await registry.register('c.ledger-value', without('ledger-entry', 'lines'), signal)
      await assert.rejects(agree('c.'), (error) => {
        assert.match(explain(error), /c\.ledger-value: lines is new and has no default/)
        return (error as { code?: string }).code === 'schema_incompatible'
      })
      assert.deepEqual(await registry.versions('c.messages-value', signal), [])
      assert.ok(
        (await check('c.')).some(({ level, text }) => level === 'fault' && text.includes('lines is new')),
      )
      await registry.register('d.messages-value', without('message', 'data'), signal)
      const { ids, known } = await agree('d.')
      assert.deepEqual(known.filter(([, text]) => text === without('message', 'data')).length, 1)
      assert.ok(ids)
      const newer = await registry.register('d.messages-value', withField('message', 'mood'), signal)
      assert.ok(typeof newer === 'number')
      assert.equal(await registry.schema(newer, signal), withField('message', 'mood'))
      assert.equal(await registry.schema(987_654, signal), undefined)
      assert.deepEqual((await agree('d.')).ids, ids, 'an older program goes on by its own version')
    },
  )

  await t.test('a whole run is framed by the ids of the registry, and goes on without it', async (t) => {
    const scene = await startScene(t, { messagesPerHour: 4, registry: { url } })
    await runRoles(scene.config)
    for (const [topic, schema] of [
      [scene.topics.unique, 'raw-message'],
      [scene.topics.messages, 'message'],
      [scene.topics.ledger, 'ledger-entry'],
    ] as const) {
      const id = await registry.lookUp(`${topic}-value`, registeredText(schema), signal)
      const records = await readCommitted(scene.config.kafka.brokers ?? [], topic)
      assert.ok(records.length > 0)
      for (const { value } of records) assert.equal(idIn(value), id)
    }
    const runtime = await openRuntime({ config: scene.config, log: silentLog })
    t.after(() => runtime.close())
    await stop()
    const value = (await readCommitted(scene.config.kafka.brokers ?? [], scene.topics.messages))[0]!.value
    assert.ok(runtime.codecs.message.decode(value).id)
  })

  await t.test('while it is away a start waits, and says so', async () => {
    const config = configFrom({ sources: [], registry: { url } })
    const { openCodecs } = await import('../../src/app/open-codecs.ts')
    const stopping = new AbortController()
    const told: string[] = []
    const opening = openCodecs({
      config,
      log: silentLog,
      topics: topicNames('e.'),
      onProgress: (text) => {
        told.push(text)
        stopping.abort()
      },
      signal: stopping.signal,
    })
    await assert.rejects(opening)
    assert.deepEqual(told, [`waiting for the schema registry at ${url}…`])
  })
})
