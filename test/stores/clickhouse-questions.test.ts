import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, stringify } from 'yaml'
import type { Message } from '../../src/model.ts'
import { runChatfeed } from '../support/chatfeed.ts'
import { newestRevisions, startScene } from '../support/scene.ts'
import { startChdb } from '../support/stores/chdb.ts'

const perRoomAndMinute = `
  select conversation_id as room, toStartOfMinute(sent_at) as minute, count() as messages, uniq(sender_id) as people
  from chatfeed.messages final
  where conversation_kind = 'room' and status = 'visible'
  group by room, minute
  order by messages desc, minute desc, room`

const minutes = 10
/** Visible texts of a person after which nobody else said anything in the conversation within ten minutes. */
const unanswered = `
  select id, conversation_id, sent_at, sender_id, text
  from (
    select *, groupArray(ifNull(sender_id, '')) over (
      partition by source, conversation_kind, conversation_id
      order by toUnixTimestamp64Milli(sent_at)
      range between 1 following and ${minutes * 60_000} following
    ) as later
    from chatfeed.messages final
    where status = 'visible'
  )
  where conversation_kind = 'direct' and kind = 'text' and not startsWith(sender_id, 'agent')
    and not arrayExists(who -> who != ifNull(sender_id, ''), later)
    and sent_at < now64() - interval ${minutes} minute
  order by sent_at desc`

test('the whole way into ClickHouse; questions there have the answers that the topic gives', async (t) => {
  const [chdb, scene] = await Promise.all([
    startChdb(t),
    startScene(t, { messagesPerHour: 200, since: '12h' }),
  ])
  const file = join(scene.folder, 'chatfeed.yaml')
  const written = parse(readFileSync(file, 'utf8')) as { sinks: unknown[] }
  written.sinks.push({ name: 'analytics', type: 'clickhouse', url: chdb.url })
  writeFileSync(file, stringify(written))
  const once = await runChatfeed(t, ['up', '--once', '--json'], { cwd: scene.folder })
  assert.equal(once.status, 0, once.stderr)
  const audit = await runChatfeed(t, ['audit', '--json'], { cwd: scene.folder })
  assert.equal(audit.status, 0, audit.stdout + audit.stderr)

  const messages = await scene.readMessages()
  const stored = await chdb.query<{ id: string; revision: number }>(
    'select id, revision from chatfeed.messages final',
  )
  assert.deepEqual(stored.map(({ id, revision }) => `${id} ${revision}`).sort(), newestRevisions(messages))

  const newest = new Map<string, Message>()
  for (const message of messages) {
    if (message.revision > (newest.get(message.id)?.revision ?? 0)) newest.set(message.id, message)
  }
  const visible = [...newest.values()].filter(({ status }) => status === 'visible')

  const rooms = await chdb.query<{ room: string; minute: string; messages: string; people: string }>(
    perRoomAndMinute,
  )
  const counts = new Map<string, number>()
  for (const { conversation, sentAt } of visible) {
    if (conversation.kind !== 'room') continue
    const minute = new Date(sentAt - (sentAt % 60_000)).toISOString().slice(0, 19).replace('T', ' ')
    const key = `${conversation.id} ${minute}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  assert.ok(counts.size > 0)
  assert.deepEqual(new Map(rooms.map((row) => [`${row.room} ${row.minute}`, Number(row.messages)])), counts)
  for (const row of rooms.slice(0, 3)) t.diagnostic(JSON.stringify(row))

  const open = await chdb.query<{ id: string }>(unanswered)
  const isAnswered = (asked: Message) =>
    visible.some(
      (other) =>
        other.source === asked.source &&
        other.conversation.kind === 'direct' &&
        other.conversation.id === asked.conversation.id &&
        other.sender.id !== asked.sender.id &&
        other.sentAt > asked.sentAt &&
        other.sentAt <= asked.sentAt + minutes * 60_000,
    )
  const expected = visible
    .filter(
      ({ kind, conversation, sender }) =>
        kind === 'text' && conversation.kind === 'direct' && !sender.id?.startsWith('agent'),
    )
    .filter((message) => message.sentAt < Date.now() - minutes * 60_000 && !isAnswered(message))
  assert.ok(expected.length > 0)
  assert.deepEqual(open.map(({ id }) => id).sort(), expected.map(({ id }) => id).sort())
  t.diagnostic(`${open.length} unanswered of ${visible.length} visible messages`)
  for (const row of open.slice(0, 3)) t.diagnostic(JSON.stringify(row))
})
