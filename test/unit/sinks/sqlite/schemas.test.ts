import assert from 'node:assert/strict'
import { test } from 'node:test'
import avsc from 'avsc'
import { Codecs } from '../../../../src/codecs.ts'
import { idHeader } from '../../../../src/framing.ts'
import { RecordBatchWriter, encodeBatch } from '../../../../src/kafka/record-batch.ts'
import { RecordSet } from '../../../../src/kafka/record-set.ts'
import { schemaWanted } from '../../../../src/registry/late-schemas.ts'
import { messageReader } from '../../../../src/sinks/messages.ts'
import { openSqliteSink } from '../../../../src/sinks/sqlite/sink.ts'
import { withField } from '../../../support/schema-change.ts'
import { sinkContext } from '../../../support/sink-context.ts'
import { message } from '../../samples.ts'
import { freshPath, rowsOf } from './fresh.ts'

test('a message of a schema that was registered later is stored once the schema is known, and none before it twice', async (t) => {
  const path = freshPath(t)
  const ids = { 'raw-message': 1, message: 2, 'ledger-entry': 3, 'unread-count': 4 }
  const codecs = new Codecs({ ids, former: [], known: [] }, (id) => schemaWanted(id, 'it is being asked for'))
  const context = {
    ...sinkContext('cluster/messages'),
    messagesOf: messageReader(codecs.message),
    codecParts: () => codecs.parts(),
  }
  const sink = await openSqliteSink({ name: 'search', type: 'sqlite', path }, context)
  t.after(() => sink.close())
  const newer = withField('message', 'mood')
  const type = avsc.Type.forSchema(JSON.parse(newer) as avsc.Schema)
  const batch = new RecordBatchWriter()
  batch.append(Buffer.from('a'), Buffer.from(codecs.message.encode({ ...message, id: 'a' })))
  const value = Buffer.concat([idHeader(9), type.toBuffer({ mood: 'glad', ...message, id: 'b' })])
  batch.append(Buffer.from('b'), value)
  const owner = { producerId: 1n, producerEpoch: 0, baseSequence: 0, transactional: false }
  const records = new RecordSet('messages', 0, 0, encodeBatch(batch.seal(), owner), [])
  const isWanted = { remedy: 'transient', code: 'schema_wanted', message: /schema 9/ }
  await assert.rejects(sink.write(records), isWanted)
  assert.equal(await sink.rows(), 0)
  codecs.learn(9, newer)
  await assert.rejects(sink.write(records), isWanted, 'the thread is told now, and the records come again')
  assert.equal((await sink.write(records)).length, 2)
  assert.deepEqual(
    rowsOf(path, 'select id, text from messages order by id').map(({ id, text }) => [id, text]),
    [
      ['a', message.text],
      ['b', message.text],
    ],
  )
})
