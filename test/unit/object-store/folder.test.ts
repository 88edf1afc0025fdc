import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ChatfeedError } from '../../../src/errors.ts'
import { openObjectStore } from '../../../src/object-store/index.ts'

async function openFresh(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'chatfeed-store-'))
  t.after(() => rm(folder, { recursive: true }))
  return { folder, store: await openObjectStore(folder) }
}

async function* chunks(...texts: string[]) {
  for (const text of texts) yield await Promise.resolve(Buffer.from(text))
}

async function textOf(body: AsyncIterable<unknown>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of body) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

test('an object that was put can be read, measured, listed and removed', async (t) => {
  const { store } = await openFresh(t)
  await store.put('a/b/one', chunks('on', 'e'))
  await store.put('a/bc', chunks('second'))
  assert.equal(await textOf(await store.get('a/b/one')), 'one')
  assert.equal(await store.size('a/bc'), 6)
  assert.equal(await store.size('a/b'), null)
  const keys = async (prefix: string) => {
    const found: string[] = []
    for await (const { key, size } of store.list(prefix)) found.push(`${key} ${size}`)
    return found
  }
  assert.deepEqual(await keys(''), ['a/b/one 3', 'a/bc 6'])
  assert.deepEqual(await keys('a/b'), ['a/b/one 3', 'a/bc 6'])
  assert.deepEqual(await keys('a/b/'), ['a/b/one 3'])
  assert.deepEqual(await keys('nothing/here'), [])
  await store.remove('a/bc')
  await store.remove('a/bc')
  assert.equal(await store.size('a/bc'), null)
})

test('a body that breaks off leaves neither an object nor a part of one', async (t) => {
  const { folder, store } = await openFresh(t)
  await store.put('kept', chunks('old'))
  async function* broken() {
    yield await Promise.resolve(Buffer.from('half'))
    throw new Error('connection lost')
  }
  await assert.rejects(store.put('kept', broken()), /connection lost/)
  assert.equal(await textOf(await store.get('kept')), 'old')
  assert.deepEqual(readdirSync(join(folder, '.part')), [])
})

test('what a killed process left half written is never listed, and is removed when it is a day old', async (t) => {
  const { folder, store } = await openFresh(t)
  const old = join(folder, '.part', 'old')
  const young = join(folder, '.part', 'young')
  for (const part of [old, young]) writeFileSync(part, 'half')
  utimesSync(old, 0, 0)
  for await (const { key } of store.list('')) assert.fail(key)
  await openObjectStore(folder)
  assert.deepEqual([existsSync(old), existsSync(young)], [false, true])
})

test('keys that lead out of the store or hide in it are refused', async (t) => {
  const { store } = await openFresh(t)
  for (const key of ['', '/etc/passwd', '../x', 'a/../../x', 'a//b', '.part/x', 'a\\..\\b', 'a\0b'])
    await assert.rejects(store.put(key, chunks('x')), TypeError)
})

test('a folder that cannot be one is refused when it is opened, a missing object when it is read', async (t) => {
  const { folder, store } = await openFresh(t)
  writeFileSync(join(folder, 'file'), '')
  const isFatal = (error: unknown) => error instanceof ChatfeedError && error.remedy === 'fatal'
  await assert.rejects(openObjectStore(join(folder, 'file')), isFatal)
  await assert.rejects(store.get('nothing'), { code: 'no_object' })
  mkdirSync(join(folder, 'taken'))
  await assert.rejects(store.put('taken', chunks('x')), { code: 'object_store', remedy: 'transient' })
})
