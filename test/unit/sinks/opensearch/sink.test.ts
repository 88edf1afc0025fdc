import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rewindSink, selectionOf } from '../../../../src/sinks/index.ts'
import { messageSet } from '../../../support/message-set.ts'
import { arena, failureOf, message } from './arena.ts'

const november = { sentAt: Date.UTC(2026, 10, 30, 23, 59) }
const december = { sentAt: Date.UTC(2026, 11, 1) }

test('an index that was removed is made anew, and filled from the beginning', async (t) => {
  const { double, config, open } = await arena(t)
  const sink = await open()
  await sink.write(messageSet(0, [message('a')], 7))
  double.model.indices.delete(`${config.index}-000001`)
  assert.equal((await failureOf(sink.write(messageSet(0, [message('b')], 8)))).code, 'store_gone')
  assert.equal((await failureOf(sink.position(0))).code, 'store_gone')
  const again = await open()
  assert.equal(await again.position(0), null)
  // One who has not heard of it yet moves no position of the new index.
  await sink.write(messageSet(0, [message('b')], 8))
  assert.equal(await again.position(0), null)
  await again.write(messageSet(0, [message('a')], 1))
  assert.equal(await again.position(0), 1)
})

test('by month: a month that was dropped is no reason to begin anew, all of them with the positions are', async (t) => {
  const { double, config, open, stored } = await arena(t, { perMonth: true })
  const sink = await open()
  await sink.write(messageSet(0, [message('a', 1, november), message('b', 1, december)], 7))
  assert.deepEqual(await stored(), ['a 1 -2026.11', 'b 1 -2026.12'])
  double.model.indices.delete(`${config.index}-2026.11`)
  assert.equal(await sink.position(0), 7)
  double.model.indices.clear()
  assert.equal((await failureOf(sink.position(0))).code, 'store_gone')
  assert.equal(await (await open()).position(0), null)
})

test('by month: a revision that was sent in another month leaves no older document behind', async (t) => {
  const { open, stored } = await arena(t, { perMonth: true })
  const sink = await open()
  await sink.write(messageSet(0, [message('a', 1, november), message('b', 1, november)], 2))
  await sink.write(messageSet(0, [message('a', 2, december), message('b', 2, november)], 4))
  assert.deepEqual(await stored(), ['a 2 -2026.12', 'b 2 -2026.11'])
  await sink.write(messageSet(0, [message('c', 1, november), message('c', 2, december)], 6))
  assert.deepEqual(await stored(), ['a 2 -2026.12', 'b 2 -2026.11', 'c 2 -2026.12'])
})

test('by month and in one index do not mix', async (t) => {
  const { config, open } = await arena(t)
  await open()
  config.perMonth = true
  const { remedy, code } = await failureOf(open())
  assert.deepEqual([remedy, code], ['fatal', 'search_other_layout'])
  await rewindSink(config, 'cluster/messages', null)
  await open()
})

test('deleted messages are kept, or taken away for good where they are not to be', async (t) => {
  const deleted = { status: 'deleted' } as const
  const kept = await arena(t)
  const keeper = await kept.open()
  await keeper.write(messageSet(0, [message('a'), message('a', 2, deleted)], 2))
  assert.deepEqual(await kept.stored(), ['a 2 -000001'])
  const gone = await arena(t, { keepDeleted: false })
  const remover = await gone.open()
  assert.equal((await remover.write(messageSet(0, [message('a'), message('b', 1, deleted)], 2))).length, 2)
  await remover.write(messageSet(0, [message('a', 2, deleted)], 3))
  await remover.write(messageSet(0, [message('a')], 3))
  assert.deepEqual(await gone.stored(), [])
  assert.equal(selectionOf(kept.config)?.removes(message('a', 2, deleted)), false)
  assert.equal(selectionOf(gone.config)?.removes(message('a', 2, deleted)), true)
})

test('the best analyzer of the cluster is taken, or the one that is asked for', async (t) => {
  const analyzers = async (found: string[], analyzer?: string) => {
    const { double, config, open } = await arena(t, analyzer === undefined ? {} : { analyzer })
    double.model.analyzers = new Set(found)
    await open()
    const template = double.model.templates.get(config.index) as {
      template: { mappings: { properties: { text: object } } }
    }
    return template.template.mappings.properties.text
  }
  const all = ['ik_max_word', 'ik_smart', 'smartcn', 'cjk', 'standard']
  const ik = { type: 'text', analyzer: 'ik_max_word', search_analyzer: 'ik_smart' }
  assert.deepEqual(await analyzers(all), ik)
  assert.deepEqual(await analyzers(all.slice(2)), { type: 'text', analyzer: 'smartcn' })
  assert.deepEqual(await analyzers(all.slice(3)), { type: 'text', analyzer: 'cjk' })
  assert.deepEqual(await analyzers([]), { type: 'text', analyzer: 'standard' })
  const icu = { type: 'text', analyzer: 'icu_analyzer' }
  assert.deepEqual(await analyzers([...all, 'icu_analyzer'], 'icu_analyzer'), icu)
  assert.deepEqual(await analyzers(all, 'ik_max_word'), ik)
})
