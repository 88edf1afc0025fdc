import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ChatfeedError, explain, isTransient } from '../../../src/errors.ts'
import type { RawRecord } from '../../../src/providers/provider.ts'
import {
  assertSame,
  type Bench,
  eachAtOnce,
  type BenchOptions,
  type Read,
  rowOf,
  scenario,
  within,
} from './bench.ts'
import type { ProviderCase } from './case.ts'
import { foreignAnswers } from './foreign-answers.ts'
import { assertTellsNothing } from './secrets.ts'
import { once, type Asked, type Cut } from './wire.ts'

type Open = (options?: BenchOptions) => Promise<Bench>

/** Answers that are not what the provider meant to say. */
export function faultScenarios(providerCase: ProviderCase): void {
  scenario(providerCase, 'an answer cut anywhere is never taken for a whole one', async (open) => {
    const { sandbox, whole, asked } = await wholeReading(open)
    const cuts = fc.sample(anyCut(asked.length), 15)
    for (const index of someOf(asked)) {
      cuts.push({ index, at: 0.5, framing: 'length', then: 'break' })
      cuts.push({ index, at: 0.999, framing: 'chunks', then: 'break' })
      cuts.push({ index, at: -1, framing: 'length', then: 'break' })
    }
    await eachAtOnce(cuts, async ({ index, at, ...cut }) => {
      const tamper = once(index, (answer) => {
        const bytes = at < 0 ? -1 : Math.floor(at * answer.body.length)
        return { ...answer, cut: { ...cut, at: bytes } }
      })
      await readSpoiled(await open({ sandbox, tamper }), whole, JSON.stringify({ index, at, ...cut }))
    })
  })

  scenario(providerCase, 'an answer that is none of the provider’s is never taken for one', async (open) => {
    const { sandbox, whole, asked } = await wholeReading(open)
    const foreign = someOf(asked).flatMap((index) => foreignAnswers.map((answer) => ({ index, answer })))
    await eachAtOnce(foreign, async ({ index, answer }) => {
      const bench = await open({ sandbox, tamper: once(index, () => answer) })
      const how = `${index}: ${answer.status} ${answer.body.toString()}`
      assertTellsNothing(bench, await readSpoiled(bench, whole, how))
    })
  })

  scenario(providerCase, 'a byte that is wrong harms no more than its own record', async (open) => {
    const { sandbox, whole, asked } = await wholeReading(open)
    const flip = fc.record({
      index: fc.nat(asked.length - 1),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      byte: fc.nat(255),
    })
    await eachAtOnce(fc.sample(flip, 15), async ({ index, at, byte }) => {
      const tamper = once(index, (answer) => {
        const body = Buffer.from(answer.body)
        body[Math.floor(at * body.length)] = byte
        return { ...answer, body }
      })
      const bench = await open({ sandbox, tamper })
      const how = JSON.stringify({ index, at, byte })
      const { reading, records } = await bench.read().catch((error: unknown) => ({
        reading: failureOf(error, how),
        records: [],
      }))
      assert.ok(['published', 'failed', 'not_yet'].includes(reading.state), `${how}: ${reading.state}`)
      const known = new Set(whole.records.map(contentAndId))
      const good = records.filter((record) => known.has(contentAndId(record)))
      if (reading.state === 'published') assert.ok(good.length >= whole.records.length - 1, how)
      assertSame(await bench.read(), whole, how)
    })
  })

  scenario(providerCase, 'a redirect takes no credentials along to another host', async (open) => {
    const { sandbox, whole, asked } = await wholeReading(open)
    const elsewhere = await open({ sandbox })
    await eachAtOnce(someOf(asked), async (index) => {
      const tamper = once(index, (answer, { path }) => ({
        ...answer,
        status: 302,
        headers: { location: `${elsewhere.wire.url}${path}` },
        body: Buffer.alloc(0),
      }))
      const bench = await open({ sandbox, tamper })
      assertTellsNothing(bench, await readSpoiled(bench, whole, `request ${index + 1} is redirected`))
    })
    for (const { asked } of elsewhere.wire.exchanges) {
      assert.equal(asked.headers.authorization, undefined)
      assert.equal(asked.method, 'GET')
      assert.doesNotMatch(asked.path, /[?&]sign=/)
    }
  })
}

/** The places of the first request, of one in the middle and of the last. */
export function someOf(asked: readonly Asked[]): number[] {
  return [...new Set([0, asked.length >> 1, asked.length - 1])]
}

/** A whole reading of the unit and all that was asked for it. */
export async function wholeReading(
  open: Open,
): Promise<{ sandbox: Bench['sandbox']; whole: Read; asked: Asked[] }> {
  const bench = await open()
  const whole = await bench.read()
  return { sandbox: bench.sandbox, whole, asked: bench.wire.exchanges.map(({ asked }) => asked) }
}

/**
 * Reads where one answer is spoilt: it comes whole all the same, or is seen to be wrong without stopping the source;
 * no part of a record is published, and the next reading is whole. Returns what was told of it.
 */
async function readSpoiled(bench: Bench, whole: Read, how: string): Promise<string> {
  const known = new Set(whole.records.map(rowOf))
  const publish = (record: RawRecord): undefined => {
    assert.ok(known.has(rowOf(record)), `${how}: half a record was published`)
  }
  let told: string
  try {
    const { reading, records } = await within(bench.read({ publish }), 10_000)
    if (reading.state === 'published') assertSame({ reading, records }, whole, how)
    else assert.ok(reading.state === 'failed' || reading.state === 'not_yet', `${how}: ${reading.state}`)
    told = 'reason' in reading ? reading.reason : ''
  } catch (error) {
    told = failureOf(error, how).told
  }
  assertSame(await bench.read(), whole, how)
  return told
}

function failureOf(error: unknown, how: string): { state: 'failed'; told: string } {
  if (!(error instanceof ChatfeedError)) throw error
  assert.ok(isTransient(error), `${how}: ${error.code} stops the source`)
  return { state: 'failed', told: `${explain(error)} ${error.stack}` }
}

function contentAndId({ messageId, payload }: RawRecord): string {
  return `${messageId} ${payload.toString('latin1')}`
}

/** A cut of one of the answers, at a share of its body. */
function anyCut(answers: number): fc.Arbitrary<Cut & { index: number }> {
  return fc.record({
    index: fc.nat(answers - 1),
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    framing: fc.constantFrom('length' as const, 'chunks' as const, 'close' as const),
    then: fc.constant('break' as const),
  })
}
