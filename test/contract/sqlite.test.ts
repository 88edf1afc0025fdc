import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from '@photostructure/sqlite'
import { openSink, rewindSink, storedRevisions } from '../../src/sinks/index.ts'
import { sinkContext } from '../support/sink-context.ts'
import { sinkSuite, type StoredMessage } from './sink-suite.ts'

sinkSuite('sqlite', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-sqlite-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'deep', 'messages.db')
  const config = { name: 'search', type: 'sqlite', path } as const
  return Promise.resolve({
    open: (stream, options = {}) =>
      openSink({ ...config, ...(options.where && { where: options.where }) }, sinkContext(stream, options)),
    rewind: (stream, to) => rewindSink(config, stream, to),
    revisions: () => storedRevisions(config),
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
