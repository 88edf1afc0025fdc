import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { DatabaseSync } from '@photostructure/sqlite'
import { parse, stringify } from 'yaml'
import { assertBalanced } from '../support/balance.ts'
import { runChatfeed, startChatfeed } from '../support/chatfeed.ts'
import { until } from '../support/kafka.ts'
import { newestRevisions, startScene } from '../support/scene.ts'
import { WebhookReceiver } from '../support/webhook-receiver.ts'

suite('sink rebuild', { concurrency: 2 }, () => {
  test('fills an emptied store again, keeps one that is set back, and refuses one in use', async (t) => {
    const scene = await startScene(t, { since: '6h' })
    const cwd = scene.folder
    const rebuild = (...options: string[]) =>
      runChatfeed(t, ['sink', 'rebuild', 'search', '--json', ...options], { cwd })
    const up = startChatfeed(t, ['up'], { cwd })
    await until('something is stored', () => up.stderr().includes('joined the group'), 90_000)
    const refused = await rebuild()
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /being carried to search now, by chatfeed@.*Stop that chatfeed up/)
    // Its place in the group is free at once, though it could not say that it leaves.
    up.process.kill('SIGKILL')
    await up.ended
    const filled = await runChatfeed(t, ['up', '--once'], { cwd })
    assert.equal(filled.status, 0, filled.stderr)
    const stored = scene.stored()

    const db = new DatabaseSync(join(scene.folder, 'messages.db'))
    db.exec(
      "insert into messages select 'stray', revision, provider, source, tenant, message_id, conversation_kind, conversation_id, sender_id, sender_name, sender_role, recipient, sent_at, kind, provider_type, text, status, latitude, longitude, address, session, refers_to, data, attachments, origin from messages limit 1; delete from messages where id in (select id from messages where id <> 'stray' limit 5)",
    )
    db.close()
    const back = await rebuild('--from', '1h')
    assert.equal(back.status, 0, back.stderr)
    assert.ok((JSON.parse(back.stdout) as { records: number }).records > 0)
    assert.deepEqual(
      scene.stored(),
      [...stored, 'stray 1'].sort(),
      'what was lost is back, and nothing is taken away',
    )

    const whole = await rebuild()
    assert.equal(whole.status, 0, whole.stderr)
    const { sink, type, done, records, total } = JSON.parse(whole.stdout) as Record<string, unknown>
    assert.deepEqual({ sink, type, done }, { sink: 'search', type: 'sqlite', done: true })
    assert.equal(records, total)
    assert.deepEqual(scene.stored(), newestRevisions(await scene.readMessages()))
    await assertBalanced(scene)

    const unknown = await runChatfeed(t, ['sink', 'rebuild', 'serch'], { cwd })
    assert.equal(unknown.status, 2)
    assert.match(unknown.stderr, /There is no sink serch\. Choose from search\./)
    const late = await rebuild('--from', '0s')
    assert.equal(late.status, 2)
    assert.match(late.stderr, /Nothing has come into the topic messages/)
  })

  test('brings what a webhook had refused, which is a dead letter until then', async (t) => {
    const scene = await startScene(t, { since: '4h' })
    const cwd = scene.folder
    const receiver = await WebhookReceiver.start(t)
    const file = join(cwd, 'chatfeed.yaml')
    const { url, secret } = receiver
    const hook = { name: 'hook', type: 'webhook', url, secret }
    writeFileSync(file, stringify({ ...(parse(readFileSync(file, 'utf8')) as object), sinks: [hook] }))
    let poison: string | undefined
    receiver.answer = ({ messages }) => {
      poison ??= messages[0]?.id
      return messages.some(({ id }) => id === poison) ? 422 : 204
    }
    const first = await runChatfeed(t, ['up', '--once', '--json'], { cwd })
    assert.equal(first.status, 0, first.stderr)
    assert.ok(poison !== undefined)
    assert.equal(receiver.stored.has(poison), false)
    const { stdout: list } = await runChatfeed(t, ['dead', 'list', '--json'], { cwd })
    const { letters } = JSON.parse(list) as { letters: { id: string; stage: string; code: string }[] }
    const ours = letters.filter(({ stage }) => stage === 'sink:hook')
    assert.deepEqual([...new Set(ours.map(({ id, code }) => `${id} ${code}`))], [`${poison} webhook_refused`])

    receiver.answer = () => 204
    const again = await runChatfeed(t, ['sink', 'rebuild', 'hook', '--json'], { cwd })
    assert.equal(again.status, 0, again.stderr)
    const stored = [...receiver.stored.values()].map(({ id, revision }) => `${id} ${revision}`).sort()
    assert.deepEqual(stored, newestRevisions(await scene.readMessages()))
    const audit = await runChatfeed(t, ['audit', '--json'], { cwd })
    assert.equal(audit.status, 0, audit.stdout)
  })
})
