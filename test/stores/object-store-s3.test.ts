import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { ChatfeedError } from '../../src/errors.ts'
import { openObjectStore } from '../../src/object-store/index.ts'
import { objectStoreSuite } from '../contract/object-store-suite.ts'
import type { Cleanup } from '../support/cleanup.ts'
import { type S3Server, startS3 } from '../support/stores/s3.ts'

suite('S3', () => {
  let server: S3Server
  const closers: (() => unknown)[] = []
  const cleanup: Cleanup = { after: (close) => closers.unshift(close) }
  before(async () => {
    server = await startS3(cleanup)
  })
  after(async () => {
    for (const close of closers) await close()
  })

  objectStoreSuite('a bucket', () => openObjectStore(server.place(), server.settings))

  const refused = async (place: string, settings: object, wanted: object) => {
    const store = await openObjectStore(place, { ...server.settings, ...settings })
    const told = (error: unknown) => {
      assert.ok(error instanceof ChatfeedError)
      assert.deepEqual({ remedy: error.remedy, code: error.code }, wanted)
      assert.ok(error.mend)
      assert.doesNotMatch(JSON.stringify([error.message, error.mend]), /chatfeed-secret|wrong-key/)
      return true
    }
    try {
      await assert.rejects(store.putNew('x', Buffer.from('x')), told)
      await assert.rejects(store.get('x'), told)
    } finally {
      await store.close()
    }
  }

  test('a bucket that is not there is told', async () => {
    const store = await openObjectStore('s3://no-such-bucket', server.settings)
    const listing = store.list('')[Symbol.asyncIterator]().next()
    await assert.rejects(listing, { remedy: 'fatal', code: 's3_no_bucket' })
    await store.close()
  })

  test('a wrong secret is told, and not shown', () =>
    refused(server.place(), { secretAccessKey: 'wrong-key' }, { remedy: 'fatal', code: 's3_credentials' }))

  test('a key that nobody knows is told', () =>
    refused(server.place(), { accessKeyId: 'wrong-key' }, { remedy: 'fatal', code: 's3_credentials' }))

  test('a service that is away can come back', () =>
    refused(
      server.place(),
      { endpoint: 'http://127.0.0.1:1' },
      { remedy: 'transient', code: 'object_store' },
    ))
})
