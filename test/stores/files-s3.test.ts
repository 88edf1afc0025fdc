import { after, before, suite } from 'node:test'
import { openObjectStore } from '../../src/object-store/index.ts'
import { sinkSuite } from '../contract/sink-suite.ts'
import type { Cleanup } from '../support/cleanup.ts'
import { filesStore } from '../support/files-store.ts'
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

  sinkSuite(
    'files in a bucket',
    async (t) => {
      const { settings: s3 } = server
      const path = server.place()
      const objects = await openObjectStore(path, s3)
      t.after(() => objects.close())
      return filesStore({ name: 'lake', type: 'files', path, format: 'ndjson', s3 }, objects)
    },
    { isUncounted: true },
  )
})
