import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { silentLog } from '../../src/log.ts'
import { openSink, storedRevisions } from '../../src/sinks/index.ts'
import { sinkSuite, type StoredMessage } from './sink-suite.ts'
import { codecs } from '../support/codecs.ts'

sinkSuite('sqlite', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'deep', 'messages.db')
  return Promise.resolve({
    open: (stream) => openSink({ name: 'search', type: 'sqlite', path }, silentLog, stream, codecs),
    revisions: () => storedRevisions({ name: 'search', type: 'sqlite', path }),
    stored: () => {
      const db = new DatabaseSync(path, { readOnly: true })
      const rows = db.prepare('select id, revision, text from messages').all() as ({
        id: string
      } & StoredMessage)[]
      db.close()
      return Promise.resolve(new Map(rows.map(({ id, revision, text }) => [id, { revision, text }])))
    },
  })
})
