import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { Publish } from '../../../src/providers/provider.ts'
import { assertSame, contentOf, scenario } from './bench.ts'
import type { ProviderCase } from './case.ts'

/** What a reading hands out, and what it does when the taker is slow or fails. */
export function readingScenarios(providerCase: ProviderCase): void {
  const { provider, openUnit, nowMs } = providerCase

  scenario(providerCase, 'every unit hands out what was served, no more and no less', async (open) => {
    const bench = await open()
    const published = new Set<string>()
    const ids = new Set<string | null>()
    for (const { name: unit, opensAt } of await bench.units()) {
      if (opensAt > nowMs) continue
      const before = bench.served().length
      const { reading, records } = await bench.read({ unit })
      const served = bench.served().slice(before).map(contentOf)
      if (providerCase.publishes === 'every row') assert.deepEqual(records.map(contentOf), served)
      const positions = new Set(records.map(({ position }) => position))
      assert.equal(positions.size, records.length, `${unit}: a position comes twice`)
      if (records.length === 0) assert.equal(reading.state, 'empty')
      else assert.equal(reading.state === 'published' && reading.lines, positions.size, unit)
      for (const record of records) {
        const { messageId, fingerprint } = provider.identify(record.payload)
        assert.equal(record.messageId, messageId)
        // A record that does not tell its own status carries what was asked for in its position.
        if (!String(record.position).includes('?')) assert.deepEqual(record.fingerprint, fingerprint)
        published.add(contentOf(record))
        ids.add(messageId)
      }
    }
    assert.ok(published.size > 100)
    assert.deepEqual([...published].sort(), [...new Set(bench.served().map(contentOf))].sort())
    assert.equal(ids.size, bench.sandbox.served().messages)
    for (const { asked } of bench.wire.exchanges)
      assert.ok(asked.method === 'GET' || (asked.method === 'POST' && providerCase.mayPost(asked.path)))
  })

  scenario(providerCase, 'a unit read again, also by another process, gives the same', async (open) => {
    const bench = await open()
    const first = await bench.read()
    assert.ok(first.records.length >= 20)
    assertSame(await bench.read(), first)
    assertSame(await (await open({ sandbox: bench.sandbox })).read(), first)
  })

  scenario(
    providerCase,
    'a publish that rejects ends the reading, and the next gives the whole',
    async (open) => {
      const bench = await open()
      const whole = await bench.read()
      const count = whole.records.length
      const [random = 0] = fc.sample(fc.nat(count - 1), 1)
      const full = new Error('no room')
      for (const at of [0, count >> 1, count - 1, random]) {
        for (const waitMs of [0, 5]) {
          let given = 0
          const publish: Publish = () =>
            given++ === at ? sleep(waitMs).then(() => Promise.reject(full)) : undefined
          await assert.rejects(bench.read({ publish }), full, `record ${at + 1} of ${count}`)
          assert.equal(given, at + 1, 'records were given after the one that was rejected')
        }
        assertSame(await bench.read(), whole)
      }
    },
  )

  scenario(providerCase, 'a publish that is slow holds the reading back', async (open) => {
    const bench = await open()
    let waiting = 0
    let most = 0
    const publish: Publish = async () => {
      most = Math.max(most, ++waiting)
      await nextTurn()
      waiting--
    }
    const slow = await bench.read({ publish })
    assert.equal(most, 1, `${most} records were given at once`)
    assert.equal(waiting, 0, 'the reading ended before its records were taken')
    assertSame(slow, await bench.read())
  })

  scenario(providerCase, 'many readings under one signal leave nothing behind on it', async (open) => {
    const bench = await open()
    const { signal } = new AbortController()
    for (let turn = 0; turn < 5; turn++) await bench.read({ signal })
    assert.equal(getEventListeners(signal, 'abort').length, 0)
  })

  if (openUnit === undefined) return
  scenario(providerCase, 'an open unit repeats what may not have arrived, and nothing else', async (open) => {
    const bench = await open()
    const unit = (await bench.units()).find(({ name }) => name === openUnit)
    assert.ok(unit && unit.closesAt > nowMs)
    const first = await bench.read({ unit: openUnit })
    assert.ok(first.records.length > 5)
    assert.deepEqual(await bench.read({ unit: openUnit }), { reading: first.reading, records: [] })

    const full = new Error('no room')
    let given = 0
    const third: Publish = () => (++given === 3 ? Promise.reject(full) : undefined)
    const unflushed = Object.assign((): undefined => undefined, { flush: () => Promise.reject(full) })
    for (const publish of [third, unflushed]) {
      const fresh = await open({ sandbox: bench.sandbox })
      await assert.rejects(fresh.read({ unit: openUnit, publish }), full)
      assertSame(await fresh.read({ unit: openUnit }), first)
      assert.deepEqual((await fresh.read({ unit: openUnit })).records, [])
    }
  })
}
