import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test, type TestContext } from 'node:test'
import type { ObjectStore } from '../../src/object-store/index.ts'

async function* chunks(...parts: (string | Buffer)[]) {
  for (const part of parts) yield await Promise.resolve(Buffer.from(part))
}

async function bytesOf(store: ObjectStore, key: string): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of await store.get(key)) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list(prefix)) keys.push(key)
  return keys.sort()
}

/** The promises of `ObjectStore`, for any store; `open` makes an empty one. */
export function objectStoreSuite(kind: string, open: (t: TestContext) => Promise<ObjectStore>): void {
  const scenario = (name: string, run: (store: ObjectStore) => Promise<void>) => {
    test(`${kind}: ${name}`, async (t) => {
      const store = await open(t)
      t.after(() => store.close())
      await run(store)
    })
  }

  scenario('an object is put, overwritten, measured, listed and removed', async (store) => {
    await store.put('a/b', chunks('first'))
    await store.put('a/b', chunks('sec', 'ond'))
    await store.put('empty', chunks())
    assert.equal((await bytesOf(store, 'a/b')).toString(), 'second')
    assert.deepEqual(
      [await store.size('a/b'), await store.size('empty'), await store.size('a')],
      [6, 0, null],
    )
    assert.deepEqual([await keysOf(store, ''), await keysOf(store, 'a/')], [['a/b', 'empty'], ['a/b']])
    await store.remove('a/b')
    await store.remove('a/b')
    assert.equal(await store.size('a/b'), null)
    await assert.rejects(store.get('a/b'), { code: 'no_object', remedy: 'message' })
  })

  scenario('a new object is never written over one that is there', async (store) => {
    const tries = await Promise.all(
      Array.from({ length: 8 }, (_, n) => store.putNew('claims/one', Buffer.from(`claim ${n}`))),
    )
    assert.deepEqual(tries.filter(Boolean), [true])
    const winner = `claim ${tries.indexOf(true)}`
    assert.equal((await bytesOf(store, 'claims/one')).toString(), winner)
    assert.equal(await store.putNew('claims/one', Buffer.from('late')), false)
    assert.equal((await bytesOf(store, 'claims/one')).toString(), winner)
    assert.deepEqual(await keysOf(store, ''), ['claims/one'])
  })

  scenario('nothing is seen of an object before it is whole', async (store) => {
    const big = randomBytes(9 * 2 ** 20)
    let seen: (number | null)[] = []
    async function* looking() {
      yield big
      yield big
      seen = [await store.size('big'), (await keysOf(store, '')).length]
    }
    await store.put('big', looking())
    assert.deepEqual(seen, [null, 0])
    assert.ok((await bytesOf(store, 'big')).equals(Buffer.concat([big, big])))
  })

  for (const size of [4, 9 * 2 ** 20]) {
    scenario(`a body of ${size} bytes and more that breaks off leaves what was there`, async (store) => {
      await store.put('kept', chunks('old'))
      async function* broken() {
        yield await Promise.resolve(Buffer.alloc(size, 1))
        throw new Error('the source broke off')
      }
      await assert.rejects(store.put('kept', broken()), /the source broke off/)
      await assert.rejects(store.put('new', broken()), /the source broke off/)
      assert.equal((await bytesOf(store, 'kept')).toString(), 'old')
      assert.deepEqual(await keysOf(store, ''), ['kept'])
    })
  }

  scenario('more than a thousand objects are listed', async (store) => {
    const keys = Array.from({ length: 1_020 }, (_, n) => `many/${String(n).padStart(4, '0')}`)
    for (let at = 0; at < keys.length; at += 60) {
      await Promise.all(keys.slice(at, at + 60).map((key) => store.put(key, chunks(key))))
    }
    await store.put('other', chunks('x'))
    assert.deepEqual(await keysOf(store, 'many/'), keys)
  })

  scenario('strange keys keep their names', async (store) => {
    const keys = ['date=2026-11-24/0-1.json', 'a b+c&d?e#f', '发票 📎/é.txt', "it's (100%) *~!", 'x%2Fy']
    for (const key of keys) await store.put(key, chunks(key))
    assert.deepEqual(await keysOf(store, ''), keys.toSorted())
    for (const key of keys) assert.equal((await bytesOf(store, key)).toString(), key)
    await assert.rejects(store.put('../x', chunks('x')), TypeError)
  })
}
