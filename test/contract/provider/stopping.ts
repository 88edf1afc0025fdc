import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Publish } from '../../../src/providers/provider.ts'
import { assertSame, type Bench, isStop, type Read, scenario, until, within } from './bench.ts'
import type { ProviderCase } from './case.ts'
import { someOf, wholeReading } from './faults.ts'
import { once } from './wire.ts'

/** A reading ends soon after its signal aborts, whatever it waits for, and leaves nothing open. */
export function stoppingScenarios(providerCase: ProviderCase): void {
  const { isShared } = providerCase

  async function assertStops(bench: Bench, read: Promise<Read>, signal: AbortSignal): Promise<void> {
    await assert.rejects(within(read), (error) => isStop(error, signal))
    const heldBack = bench.wire.exchanges.filter(({ answer }) => answer.cut)
    if (!heldBack.some(({ asked }) => isShared(asked.path)))
      await until('what was asked is given up', () => bench.wire.pending() === 0)
    await bench.source.close()
    await until('the connections are closed', () => bench.wire.sockets() === 0)
    assert.equal(getEventListeners(signal, 'abort').length, 0, 'someone still listens to the signal')
  }

  scenario(providerCase, 'a reading that is stopped before it begins asks for nothing', async (open) => {
    const bench = await open()
    const signal = AbortSignal.abort()
    await assertStops(bench, bench.read({ signal }), signal)
    assert.equal(bench.wire.exchanges.filter(({ asked }) => !isShared(asked.path)).length, 0)
  })

  scenario(providerCase, 'a reading stops while an answer is awaited or under way', async (open) => {
    const { sandbox, asked } = await wholeReading(open)
    for (const index of someOf(asked)) {
      for (const part of [-1, 0, 0.5]) {
        const tamper = once(index, (answer) => {
          const at = part < 0 ? -1 : Math.floor(part * answer.body.length)
          return { ...answer, cut: { at, framing: 'length', then: 'silence' } }
        })
        const bench = await open({ sandbox, tamper })
        const abort = new AbortController()
        const read = bench.read(abort)
        read.catch(() => undefined)
        await until('the request is there', () => bench.wire.exchanges.length > index)
        if (part > 0) await nextTurn()
        abort.abort()
        await assertStops(bench, read, abort.signal)
      }
    }
  })

  scenario(providerCase, 'a reading stops while a record waits to be published', async (open) => {
    const { sandbox, whole } = await wholeReading(open)
    const last = whole.records.length - 1
    for (const at of new Set([0, last >> 1, last])) {
      const bench = await open({ sandbox })
      const abort = new AbortController()
      let given = 0
      const publish: Publish = () => (given++ === at ? new Promise(() => undefined) : undefined)
      const read = bench.read({ publish, signal: abort.signal })
      read.catch(() => undefined)
      await until('the record is given', () => given > at)
      await nextTurn()
      abort.abort()
      await assertStops(bench, read, abort.signal)
    }
  })

  scenario(
    providerCase,
    'a reading that is stopped as it publishes ends or has come to its end',
    async (open) => {
      const { sandbox, whole } = await wholeReading(open)
      const last = whole.records.length - 1
      for (const at of new Set([0, last >> 1, last])) {
        const bench = await open({ sandbox })
        const abort = new AbortController()
        let given = 0
        const publish: Publish = () => {
          if (given++ === at) abort.abort()
          return undefined
        }
        const [outcome] = await within(Promise.allSettled([bench.read({ publish, signal: abort.signal })]))
        if (outcome.status === 'fulfilled') assertSame(outcome.value, whole)
        else assert.ok(isStop(outcome.reason, abort.signal))
        await bench.source.close()
        await until('the connections are closed', () => bench.wire.sockets() === 0)
      }
    },
  )

  scenario(providerCase, 'a reading stops while it waits for the rate budget', async (open) => {
    const { sandbox, asked } = await wholeReading(open)
    const calls = asked.filter(({ path }) => !isShared(path)).length
    for (const at of new Set([0, Math.min(1, calls - 1)])) {
      let taken = 0
      const take = (signal?: AbortSignal): Promise<void> =>
        new Promise((resolve, reject) => {
          const abort = (): void => {
            reject(signal?.reason as Error)
          }
          if (taken++ === at) signal?.addEventListener('abort', abort, { once: true })
          else resolve()
        })
      const bench = await open({ sandbox, take })
      const abort = new AbortController()
      let isOver = false
      const read = bench.read(abort).finally(() => (isOver = true))
      read.catch(() => undefined)
      await until('permission is asked for', () => taken > at || isOver)
      if (isOver) continue // Not every call needs a permission.
      abort.abort()
      await assertStops(bench, read, abort.signal)
    }
  })
}
