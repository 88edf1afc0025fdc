import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Histogram, Registry } from 'prom-client'
import { DelayHistogram } from '../../src/delay-histogram.ts'

const name = 'chatfeed_delay_seconds'
const help = 'From here to there.'
const buckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600]

test('a scrape reads what the histogram of prom-client would tell of the same delays', async () => {
  const delay = fc.tuple(
    fc.constantFrom('dedup', 'enrich', 'sink:a "quoted" name'),
    fc.oneof(fc.constantFrom(...buckets), fc.double({ min: -1, max: 1_000, noNaN: true })),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(delay, { maxLength: 40 }), async (delays) => {
      const [ours, theirs] = [new Registry(), new Registry()]
      const histogram = new DelayHistogram(name, help)
      ours.registerMetric(histogram as unknown as Histogram)
      const witness = new Histogram({ name, help, labelNames: ['stage'], buckets, registers: [theirs] })
      for (const [stage, seconds] of delays) {
        histogram.observe({ stage }, seconds)
        witness.observe({ stage }, seconds)
      }
      assert.equal(await ours.metrics(), await theirs.metrics())
    }),
    { numRuns: 100 },
  )
})
