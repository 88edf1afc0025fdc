import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openObjectStore } from '../../src/object-store/index.ts'
import { objectStoreSuite } from './object-store-suite.ts'

objectStoreSuite('a folder', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return openObjectStore(folder)
})
