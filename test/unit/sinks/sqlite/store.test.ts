import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { DatabaseSync } from '@photostructure/sqlite'
import { searchMessages } from '../../../../src/sinks/sqlite/search.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'
import { messageSet } from '../../../support/message-set.ts'
import { freshPath, openAt, rowsOf } from './fresh.ts'

const totalOf = async (path: string, text: string) => (await searchMessages(path, text, 10)).total

test('every field of a message has its column', async (t) => {
  const path = freshPath(t)
  const store = await openAt(t, path)
  const attachment = {
    role: 'original' as const,
    url: 'https://files.example/a.jpg',
    resolvedUrl: 'https://files.example/a.jpg?share-secret=s',
    name: 'a.jpg',
    mimeType: 'image/jpeg',
    size: 4096,
    width: 640,
    height: 480,
    durationSeconds: null,
    state: 'linked' as const,
    sha256: null,
    archiveKey: null,
  }
  const message = exampleMessage({
    revision: 2,
    location: { latitude: 30.25, longitude: 120.125, address: '杭州市' },
    attachments: [attachment],
    session: 'fv3ao330zd',
    refersTo: 'easemob:acme#helpdesk:0',
    data: '{"big":12345678901234567890}',
  })
  store.write([messageSet(0, [message], 1)])
  const { attachments, ...columns } = rowsOf(path, 'select * from messages')[0] ?? {}
  assert.deepEqual(JSON.parse(String(attachments)), [attachment])
  assert.deepEqual(columns, {
    id: message.id,
    revision: 2,
    provider: 'easemob',
    source: 'support',
    tenant: 'acme#helpdesk',
    message_id: '1',
    conversation_kind: 'direct',
    conversation_id: 'agent.xu|lin.yue',
    sender_id: 'lin.yue',
    sender_name: '林月',
    sender_role: 'customer',
    recipient: 'agent.xu',
    sent_at: 1_795_399_200_000,
    kind: 'text',
    provider_type: 'txt',
    text: message.text,
    status: 'visible',
    latitude: 30.25,
    longitude: 120.125,
    address: '杭州市',
    session: 'fv3ao330zd',
    refers_to: 'easemob:acme#helpdesk:0',
    data: '{"big":12345678901234567890}',
    origin: '2026112310#7',
  })
  assert.deepEqual(rowsOf(path, 'select typeof(sent_at) as type from messages'), [{ type: 'integer' }])
})

test('a batch that fails half-way leaves neither rows nor a position', async (t) => {
  const path = freshPath(t)
  const store = await openAt(t, path)
  const broken = exampleMessage({ id: 'easemob:acme#helpdesk:2' })
  const db = new DatabaseSync(path)
  db.exec(`create trigger t before insert on messages when new.message_id = '2'
           begin select raise(abort, 'not this one'); end`)
  db.close()
  assert.throws(() => store.write([messageSet(0, [exampleMessage(), broken], 2)]), /not this one/)
  assert.equal(store.rows(), 0)
  assert.equal(store.position(0), null)
  assert.equal(await totalOf(path, '退款'), 0)
  store.write([messageSet(0, [exampleMessage()], 1)])
  assert.equal(await totalOf(path, '退款'), 1)
})

test('a new revision is found by its new words only', async (t) => {
  const path = freshPath(t)
  const store = await openAt(t, path)
  store.write([messageSet(0, [exampleMessage({ text: '什么时候发货' })], 1)])
  store.write([messageSet(0, [exampleMessage({ revision: 2, text: '发票开好了吗' })], 2)])
  assert.equal(await totalOf(path, '发货'), 0)
  assert.equal(await totalOf(path, '发票'), 1)
  store.write([messageSet(0, [exampleMessage({ revision: 3, text: null })], 3)])
  assert.equal(await totalOf(path, '发票'), 0)
})

test('two revisions in one batch leave the words of the newer one', async (t) => {
  const path = freshPath(t)
  const store = await openAt(t, path)
  const older = exampleMessage({ text: '什么时候发货' })
  store.write([messageSet(0, [older, exampleMessage({ revision: 2, text: '发票开好了吗' }), older], 3)])
  assert.equal(await totalOf(path, '发货'), 0)
  assert.equal(await totalOf(path, '发票'), 1)
})

test('the index still points at the right rows after a VACUUM', async (t) => {
  const path = freshPath(t)
  const store = await openAt(t, path)
  const batch = Array.from({ length: 50 }, (_, n) =>
    exampleMessage({ id: `easemob:acme#helpdesk:${n}`, text: `订单 number${n}.` }),
  )
  store.write([messageSet(0, batch, batch.length)])
  const db = new DatabaseSync(path)
  db.exec("delete from messages where id like '%:1%'; vacuum")
  db.close()
  const { hits } = await searchMessages(path, 'number49', 5)
  assert.deepEqual(
    hits.map((hit) => hit.text),
    ['订单 number49.'],
  )
})

test('a database that another program holds is a transient fault, and the batch goes in later', async (t) => {
  const path = freshPath(t)
  const store = await openAt(t, path)
  const other = new DatabaseSync(path)
  t.after(() => other.close())
  other.exec('begin immediate')
  assert.throws(() => store.write([messageSet(0, [exampleMessage()], 1)]), {
    remedy: 'transient',
    code: 'sqlite_locked',
  })
  other.exec('rollback')
  store.write([messageSet(0, [exampleMessage()], 1)])
  assert.equal(store.rows(), 1)
})

test('a database that is removed while the sink is open is an error, and nothing is written into the void', async (t) => {
  const path = freshPath(t)
  const store = await openAt(t, path)
  store.write([messageSet(0, [exampleMessage()], 1)])
  for (const file of ['', '-wal', '-shm']) rmSync(path + file)
  const gone = { remedy: 'transient', code: 'store_gone', message: /was removed/ }
  assert.throws(() => store.write([messageSet(0, [exampleMessage()], 2)]), gone)
  assert.throws(() => store.position(0), gone)
  const anew = await openAt(t, path)
  assert.equal(anew.position(0), null)
})

test('a file that is no database stops the sink', async (t) => {
  const path = freshPath(t)
  writeFileSync(path, 'these are not the bytes of a database. '.repeat(40))
  await assert.rejects(openAt(t, path), { remedy: 'fatal', code: 'sqlite_not_a_database' })
})

test('an empty file becomes the database', async (t) => {
  const path = freshPath(t)
  writeFileSync(path, '')
  const store = await openAt(t, path)
  store.write([messageSet(0, [exampleMessage()], 1)])
  assert.equal(await totalOf(path, '退款'), 1)
})

test('a folder in the place of the file is a transient fault', async (t) => {
  const path = freshPath(t)
  mkdirSync(path)
  await assert.rejects(openAt(t, path), { remedy: 'transient', code: 'sqlite_cannot_open' })
})

test('a file in the place of the folder is a transient fault', async (t) => {
  const path = freshPath(t)
  writeFileSync(path, '')
  await assert.rejects(openAt(t, `${path}/deeper/messages.db`), {
    remedy: 'transient',
    code: 'sqlite_cannot_open',
  })
})

test("another program's database is left alone", async (t) => {
  const path = freshPath(t)
  const db = new DatabaseSync(path)
  db.exec('create table messages (theirs); pragma user_version = 1')
  db.close()
  await assert.rejects(openAt(t, path), { remedy: 'fatal', code: 'sqlite_foreign' })
  assert.deepEqual(rowsOf(path, 'select name from sqlite_schema'), [{ name: 'messages' }])
  assert.deepEqual(rowsOf(path, 'pragma journal_mode'), [{ journal_mode: 'delete' }])
})

test('a database of a newer chatfeed is left alone', async (t) => {
  const path = freshPath(t)
  const made = await openAt(t, path)
  made.close()
  const db = new DatabaseSync(path)
  db.exec('pragma user_version = 99')
  db.close()
  await assert.rejects(openAt(t, path), { remedy: 'fatal', code: 'sqlite_newer' })
  await assert.rejects(searchMessages(path, '退款', 1), { remedy: 'fatal', code: 'sqlite_newer' })
})

test('an error names the database and the mend, but no text of a message', async (t) => {
  const path = freshPath(t)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, 'secret '.repeat(200))
  await assert.rejects(openAt(t, path), (error: Error & { mend: string }) => {
    assert.ok(error.message.includes(path))
    assert.ok(!`${error.message} ${error.mend}`.includes('secret'))
    return true
  })
})

test('a database that was set back while it is written to is not written past what it lacks', async (t) => {
  const path = freshPath(t)
  const store = await openAt(t, path)
  store.write([messageSet(0, [exampleMessage({ id: 'e:a#b:1' })], 10)])
  const other = new DatabaseSync(path)
  t.after(() => {
    other.close()
  })
  other.exec('delete from messages; delete from positions')
  const next = messageSet(0, [exampleMessage({ id: 'e:a#b:2' })], 11)
  assert.throws(() => store.write([next]), { remedy: 'transient', code: 'store_set_back' })
  assert.deepEqual(other.prepare('select id from messages').all(), [])
  assert.equal(store.position(0), null)
  store.write([messageSet(0, [exampleMessage({ id: 'e:a#b:1' })], 10)])
  assert.equal(store.position(0), 10)
})
