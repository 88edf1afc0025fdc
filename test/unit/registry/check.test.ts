import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRegistry } from '../../../src/registry/check.ts'
import { registryConfig } from '../../../src/registry/config.ts'
import { registeredText, type Subject } from '../../../src/registry/register.ts'
import { startRegistry } from '../../support/registry.ts'
import { without } from '../../support/schema-change.ts'

const subjects: Subject[] = [
  { subject: 'unique-value', schema: 'raw-message' },
  { subject: 'messages-value', schema: 'message' },
  { subject: 'ledger-value', schema: 'ledger-entry' },
]
const check = (url: string, more: object = {}) =>
  checkRegistry(registryConfig.parse({ url, ...more }), subjects, new AbortController().signal)

test('the doctor tells of every subject whether it is registered, compatible or refused, and registers nothing', async (t) => {
  const fake = await startRegistry(t)
  fake.add('messages-value', registeredText('message'))
  fake.add('ledger-value', without('ledger-entry', 'lines'))
  const findings = await check(fake.url)
  assert.deepEqual(
    findings.map(({ level, about }) => `${level} ${about}`),
    ['ok registry', 'ok subject unique-value', 'ok subject messages-value', 'fault subject ledger-value'],
  )
  const [, unique, messages, ledger] = findings
  assert.match(unique!.text, /not registered yet/)
  assert.match(messages!.text, /as schema 1/)
  assert.match(ledger!.text, /lines is new and has no default/)
  assert.deepEqual([...fake.subjects.keys()], ['messages-value', 'ledger-value'])
  assert.deepEqual(
    fake.calls.filter((call) => /^POST \/subjects\/.*versions$/.test(call)),
    [],
  )
})

test('where nothing may be registered, what is missing is a fault', async (t) => {
  const fake = await startRegistry(t)
  const faults = (await check(fake.url, { register: false })).filter(({ level }) => level === 'fault')
  assert.equal(faults.length, 3)
  for (const { mend } of faults) assert.match(mend!, /registry\.register/)
})

test('a level that lets everything pass is a warning', async (t) => {
  const fake = await startRegistry(t, { style: 'apicurio', level: 'NONE' })
  const warnings = (await check(fake.url)).filter(({ level }) => level === 'warning')
  assert.deepEqual(
    warnings.map(({ about }) => about),
    ['compatibility'],
  )
  assert.match(warnings[0]!.text, /NONE: unique-value, messages-value, ledger-value/)
})

test('a registry that is away, refuses the account or is none is one fault', async (t) => {
  const fake = await startRegistry(t, { authorization: 'Bearer right', path: '/apis' })
  const faultOf = async (url: string, more: object = {}) => {
    const found = await check(url, more)
    assert.deepEqual(
      found.map(({ level, about }) => `${level} ${about}`),
      ['fault registry'],
    )
    return `${found[0]!.text} ${found[0]!.mend}`
  }
  assert.match(await faultOf(fake.url, { token: 'wrong' }), /credentials.*registry\.token/)
  assert.match(
    await faultOf(fake.url.replace('/apis', ''), { token: 'right' }),
    /does not answer as a schema registry.*path/,
  )
  await fake.close()
  assert.match(await faultOf(fake.url), /cannot be reached: ECONNREFUSED/)
})
