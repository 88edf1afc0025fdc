import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import type { OnceSummary } from '../../src/app/once.ts'
import type { Message } from '../../src/model.ts'
import { type ChatfeedProcess, runChatfeed, startChatfeed } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'
import { startPostgres } from '../support/postgres.ts'
import { newestRevisions, startScene } from '../support/scene.ts'

const kills = 2

const says = (chatfeed: ChatfeedProcess, words: string) =>
  until(`it says ${words}`, () => chatfeed.stderr().includes(words))

test('chatfeed and PostgreSQL are both killed, and the table is what the topic says', async (t) => {
  const [server, scene] = await Promise.all([startPostgres(t), startScene(t, { messagesPerHour: 300 })])
  const file = join(scene.folder, 'chatfeed.yaml')
  const written = parse(readFileSync(file, 'utf8')) as { sinks: unknown[] }
  written.sinks.push({ name: 'warehouse', type: 'postgres', url: server.url })
  writeFileSync(file, stringify(written))
  const up = () => startChatfeed(t, ['up'], { cwd: scene.folder })
  const stored = () => server.query<Row>('select * from chatfeed.messages')

  for (let round = 0; round < kills; round++) {
    const chatfeed = up()
    await says(chatfeed, 'joined the group')
    await delay(Math.round(1_500 * Math.random()))
    chatfeed.process.kill('SIGKILL')
    await chatfeed.ended
  }
  const chatfeed = up()
  await until('some are stored', async () => (await stored()).length > 0)
  await server.stop('SIGKILL')
  scene.setClock(Date.now() + 100_000) // brings new messages
  await says(chatfeed, 'PostgreSQL at 127.0.0.1')
  const before = scene.stored().length
  await until(
    'the other sink goes on meanwhile',
    () => before === scene.served().messages || scene.stored().length > before,
  )
  await server.start()
  await until('all is stored', async () => (await stored()).length === scene.served().messages)
  chatfeed.process.kill('SIGTERM')
  const { status, stderr } = await chatfeed.ended
  assert.equal(status, 0, stderr)
  assert.doesNotMatch(stderr, /only-for-tests/)

  const once = await runChatfeed(t, ['up', '--once', '--json'], { cwd: scene.folder })
  assert.equal(once.status, 0, once.stderr)
  const rows = scene.served().messages
  assert.deepEqual((JSON.parse(once.stdout) as OnceSummary).sinks, [
    { name: 'search', rows },
    { name: 'warehouse', rows },
  ])
  const messages = await scene.readMessages()
  const kept = await stored()
  assert.deepEqual(kept.map(({ id, revision }) => `${id} ${revision}`).sort(), newestRevisions(messages))
  const said = new Map(messages.map((message) => [`${message.id} ${message.revision}`, asRow(message)]))
  for (const row of kept) assert.deepEqual({ ...row }, said.get(`${row.id} ${row.revision}`))

  const audit = await runChatfeed(t, ['audit', '--json'], { cwd: scene.folder })
  assert.equal(audit.status, 0, audit.stderr + audit.stdout)
  assert.equal((JSON.parse(audit.stdout) as { balanced: boolean }).balanced, true)
})

interface Row {
  id: string
  revision: number
  [column: string]: unknown
}

function asRow(message: Message): Row {
  const { conversation, sender, location } = message
  return {
    id: message.id,
    revision: message.revision,
    provider: message.provider,
    source: message.source,
    tenant: message.tenant,
    message_id: message.messageId,
    conversation_kind: conversation.kind,
    conversation_id: conversation.id,
    sender_id: sender.id,
    sender_name: sender.name,
    sender_role: sender.role,
    recipient: message.recipient,
    sent_at: new Date(message.sentAt),
    kind: message.kind,
    provider_type: message.providerType,
    text: message.text,
    status: message.status,
    latitude: location?.latitude ?? null,
    longitude: location?.longitude ?? null,
    address: location?.address ?? null,
    session: message.session,
    refers_to: message.refersTo,
    data: message.data === null ? null : (JSON.parse(message.data) as unknown),
    attachments: message.attachments.map((attachment) => ({ ...attachment })),
    origin: message.origin,
  }
}
