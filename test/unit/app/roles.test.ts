import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRoles } from '../../../src/app/roles.ts'
import { configFrom } from '../../../src/config/config.ts'

const config = configFrom({
  sources: [],
  sinks: [
    { name: 'search', type: 'sqlite' },
    { name: 'archive', type: 'sqlite', path: 'a.db' },
  ],
})
const none = { ingest: false, dedup: false, enrich: false, sinks: new Set<string>() }

test('without a choice a process has every role', () => {
  const all = { ingest: true, dedup: true, enrich: true, sinks: new Set(['search', 'archive']) }
  assert.deepEqual(parseRoles(undefined, config), all)
})

test('chosen roles and no others, in any order, with spaces and repeats', () => {
  assert.deepEqual(parseRoles('enrich, ingest,enrich', config), { ...none, ingest: true, enrich: true })
})

test('sink means every sink, sink:NAME one of them', () => {
  assert.deepEqual(parseRoles('sink', config), { ...none, sinks: new Set(['search', 'archive']) })
  assert.deepEqual(parseRoles('dedup,sink:archive', config), {
    ...none,
    dedup: true,
    sinks: new Set(['archive']),
  })
})

test('an unknown role or sink is a fault of usage that names the known ones', () => {
  for (const only of ['sinks', 'sink:nope', 'sink:', '', 'ingest,,dedup', 'Ingest']) {
    assert.throws(() => parseRoles(only, config), {
      code: 'usage',
      mend: 'Choose from ingest, dedup, enrich, sink, sink:search, sink:archive.',
    })
  }
})
