import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ChatfeedError } from '../../../src/errors.ts'
import { LateSchemas } from '../../../src/registry/late-schemas.ts'

type Answer = string | null | undefined | ChatfeedError

/** Late schemas whose registry answers what lies in `answers`, the last one again and again. */
function late(answers: Answer[]) {
  let now = 1_000_000
  const asked: number[] = []
  const learnt: [number, string | null][] = []
  const schema = async (id: number) => {
    asked.push(id)
    await turn()
    const answer = answers.length > 1 ? answers.shift() : answers[0]
    if (answer instanceof ChatfeedError) throw answer
    return answer
  }
  const schemas = new LateSchemas(
    { schema },
    (id, text) => learnt.push([id, text]),
    () => now,
  )
  const refuse = async (id = 7) => {
    const error = schemas.refuse(id)
    await turn()
    await turn()
    return error
  }
  return { asked, learnt, refuse, pass: (ms: number) => (now += ms) }
}

test('a schema is asked for once however many values name it, and told when it is there', async () => {
  const { asked, learnt, refuse } = late(['"int"'])
  const errors = await Promise.all([refuse(), refuse(), refuse()])
  assert.deepEqual(asked, [7])
  assert.deepEqual(learnt, [[7, '"int"']])
  for (const { remedy, code } of errors) assert.deepEqual([remedy, code], ['transient', 'schema_wanted'])
})

test('while the registry is away the values wait, and are told why', async () => {
  const away = new ChatfeedError('transient', 'registry_unreachable', 'It is away.')
  const { asked, learnt, refuse, pass } = late([away, away, '"int"'])
  await refuse()
  assert.equal((await refuse()).remedy, 'transient')
  assert.deepEqual(asked, [7], 'not at every value')
  for (let days = 0; days < 2; days++) {
    pass(86_400_000)
    const error = await refuse()
    assert.equal(error.remedy, 'transient')
    assert.match(error.message, /It is away/)
  }
  assert.deepEqual(learnt, [[7, '"int"']])
})

test('an id that the registry does not know makes a dead letter only when it was not there for a while', async () => {
  const { asked, learnt, refuse, pass } = late([undefined])
  for (let seconds = 0; seconds < 16; seconds++) {
    assert.equal((await refuse()).remedy, 'transient', String(seconds))
    pass(1_000)
  }
  const error = await refuse()
  assert.deepEqual([error.remedy, error.code], ['message', 'unknown_schema'])
  const count = asked.length
  for (let values = 0; values < 100; values++) await refuse()
  assert.equal(asked.length, count, 'later values do not ask each')
  pass(61_000)
  await refuse()
  assert.equal(asked.length, count + 1)
  assert.deepEqual(learnt, [])
})
