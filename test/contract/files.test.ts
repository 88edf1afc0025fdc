import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openObjectStore } from '../../src/object-store/index.ts'
import { formatNames } from '../../src/sinks/files/format/index.ts'
import { filesStore } from '../support/files-store.ts'
import { sinkSuite } from './sink-suite.ts'

for (const format of formatNames) {
  sinkSuite(
    `files (${format})`,
    async (t) => {
      const path = mkdtempSync(join(tmpdir(), 'chatfeed-files-'))
      t.after(() => rmSync(path, { recursive: true }))
      return filesStore({ name: 'lake', type: 'files', path, format }, await openObjectStore(path))
    },
    { isUncounted: true },
  )
}
