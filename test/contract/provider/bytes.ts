import assert from 'node:assert/strict'
import fc from 'fast-check'
import { stringify } from 'lossless-json'
import { messageCodec } from '../../support/codecs.ts'
import { ChatfeedError } from '../../../src/errors.ts'
import { parseLossless, stringifyLossless } from '../../../src/providers/canonical.ts'
import type { RawRecord } from '../../../src/providers/provider.ts'
import { type Bench, contentOf, scenario } from './bench.ts'
import type { Json, ProviderCase } from './case.ts'
import { anyBytes, hostileContents, mutated } from './hostile.ts'
import type { Tamper } from './wire.ts'

const tenant = 'tenant'

/** Records are bytes that anybody may have written: they are filed, kept exactly and understood, or told to be unreadable. */
export function byteScenarios(providerCase: ProviderCase): void {
  const { provider, unit, framing } = providerCase

  scenario(
    providerCase,
    'whatever a record holds, it is filed, and understood or told to be unreadable',
    async (open) => {
      const real = await realRecords(await open())
      fc.assert(
        fc.property(fc.oneof(anyBytes, mutated(real)), (payload) => {
          assertFiled(payload)
        }),
        { numRuns: 1_000 },
      )
      for (const payload of real) assertFiled(payload)
      for (const content of hostileContents) assertFiled(exampleOf('77', content))
    },
  )

  function assertFiled(payload: Buffer): void {
    const { messageId, fingerprint, sentAt } = provider.identify(payload)
    assert.equal(fingerprint.length, 16)
    assert.ok(messageId === null || messageId !== '')
    assert.ok(sentAt === null || Number.isSafeInteger(sentAt))
    let message
    try {
      message = provider.understand(payload, tenant, `${unit}#1`)
    } catch (error) {
      assert.ok(error instanceof ChatfeedError && error.remedy === 'message', String(error))
      return
    }
    assert.equal(message.messageId, messageId)
    assert.equal(message.sentAt, sentAt)
    const rest = { id: 'id', revision: 1, provider: provider.name, source: 's', tenant, origin: 'o' }
    // Encoding throws where a field does not fit the schema.
    messageCodec.encode({ ...message, ...rest, fetchedAt: 0, enrichedAt: 0 })
    if (message.data !== null) parseLossless(message.data)
  }

  scenario(providerCase, 'a garbage record takes no neighbour with it', async (open) => {
    let inserted: { garbage: Buffer; at: number } | null = null
    const bench = await open({ tamper: (asked, answer) => tamper(asked, answer) })
    const whole = await bench.read()
    const real = await realRecords(bench)
    const rowOf = (payload: Buffer): string => {
      const { messageId, fingerprint } = provider.identify(payload)
      return `${messageId} ${fingerprint.toString('hex')}`
    }
    const rows = new Set(real.map(rowOf))
    const garbage = fc
      .oneof(anyBytes, mutated(real))
      .filter((record) => framing.canCarry(record) && !rows.has(rowOf(record)))
    await fc.assert(
      fc.asyncProperty(garbage, fc.double({ min: 0, max: 1, noNaN: true }), async (garbage, share) => {
        inserted = { garbage, at: share }
        const { reading, records } = await bench.read()
        assert.equal(reading.state, 'published')
        const rest = records.map(contentOf)
        const at = rest.indexOf(contentOf(garbage))
        // A record with a time of its own may belong to another unit.
        if (at >= 0) rest.splice(at, 1)
        else assert.notEqual(provider.identify(garbage).sentAt, null, 'the garbage itself was lost')
        assert.deepEqual(rest, whole.records.map(contentOf))
      }),
      { numRuns: 30 },
    )

    function tamper(...[asked, answer]: Parameters<Tamper>): ReturnType<Tamper> {
      const records = inserted && framing.recordsOf(asked, answer)
      if (!inserted || !records || records.length === 0) return answer
      const at = Math.floor(inserted.at * records.length)
      const { garbage } = inserted
      inserted = null
      return framing.withRecords(answer, [...records.slice(0, at), garbage, ...records.slice(at)])
    }
  })

  scenario(providerCase, 'what is published is what was served, to the byte', async (open) => {
    const hostile = hostileContents.map((content, index) => exampleOf(String(7_000_001 + index), content))
    let isDone = false
    const bench = await open({
      tamper: (asked, answer) => {
        const records = framing.recordsOf(asked, answer)
        if (!records || records.length === 0 || isDone) return answer
        isDone = true
        return framing.withRecords(answer, [...records, ...hostile])
      },
    })
    const { records } = await bench.read()
    const published = new Map(records.map((record) => [record.payload.toString('latin1'), record]))
    for (const payload of hostile) {
      const record: RawRecord | undefined = published.get(payload.toString('latin1'))
      assert.ok(record, payload.toString('latin1').slice(0, 300))
      assert.equal(record.messageId, provider.identify(payload).messageId)
    }
    assert.equal(new Set(records.map(({ position }) => position)).size, records.length)
  })

  scenario(providerCase, 'the fingerprint is that of the message and not of its spelling', async (open) => {
    const real = await realRecords(await open())
    for (const payload of real) {
      const record = parseLossless(payload.toString()) as Json
      const spellings = [
        stringifyLossless(reversed(record)),
        stringify(record, null, 2)!,
        escaped(stringifyLossless(record)),
        ...providerCase.sameMessage.map((change) => stringifyLossless(change(record))),
      ]
      for (const text of spellings)
        assert.deepEqual(provider.identify(Buffer.from(text)), provider.identify(payload), text)
      for (const change of providerCase.otherContent) {
        const other = provider.identify(Buffer.from(stringifyLossless(change(record))))
        assert.equal(other.messageId, provider.identify(payload).messageId)
        assert.notDeepEqual(other.fingerprint, provider.identify(payload).fingerprint, String(change))
      }
    }
  })

  function exampleOf(id: string, content: Buffer): Buffer {
    const [before, after] = providerCase.example(id, '\0').split('\0')
    return Buffer.concat([Buffer.from(before!), content, Buffer.from(after!)])
  }
}

/** The records of the unit as they were served. */
async function realRecords(bench: Bench): Promise<Buffer[]> {
  const { records } = await bench.read()
  assert.ok(records.length > 20)
  return records.map(({ payload }) => payload)
}

/** The same value with the keys of every object in reverse. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  )
}

/** The same JSON text with everything beyond ASCII, and every slash, escaped. */
function escaped(text: string): string {
  return text
    .replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .replaceAll('/', '\\/')
}
