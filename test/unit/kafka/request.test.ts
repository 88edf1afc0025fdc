import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import fc from 'fast-check'
import { frameRequest, RequestBody } from '../../../src/kafka/request.ts'

// Loaded before the seam: kafkajs' own, as a witness.
const require = createRequire(import.meta.url)
const Encoder = require('kafkajs/src/protocol/encoder') as new () => {
  buffer: Buffer
  writeBytes(bytes: Buffer): { buffer: Buffer }
}
const frameByKafkajs = require('kafkajs/src/protocol/request') as typeof frameRequest

test('a request is framed as kafkajs frames it, in pieces or from its own writer', async () => {
  const pieces = fc.array(fc.uint8Array({ maxLength: 700 }).map((bytes) => Buffer.from(bytes)))
  const head = fc.record({
    correlationId: fc.nat(),
    clientId: fc.option(fc.string({ unit: 'grapheme', maxLength: 40 })),
    apiKey: fc.integer({ min: 0, max: 100 }),
    apiVersion: fc.integer({ min: 0, max: 15 }),
  })
  await fc.assert(
    fc.asyncProperty(head, pieces, async ({ correlationId, clientId, apiKey, apiVersion }, parts) => {
      const framed = (encode: () => Promise<{ buffer: Buffer }>) => ({
        correlationId,
        clientId,
        request: { apiKey, apiVersion, encode },
      })
      const ours = framed(() => Promise.resolve(new RequestBody(...parts)))
      assert.deepEqual((await frameRequest(ours)).buffer, (await frameByKafkajs(ours)).buffer)
      const theirs = framed(() => Promise.resolve(new Encoder().writeBytes(Buffer.concat(parts))))
      assert.deepEqual((await frameRequest(theirs)).buffer, (await frameByKafkajs(theirs)).buffer)
    }),
    { numRuns: 200 },
  )
})

test('the connections of the seam frame their requests so', () => {
  const script = `
    import { createRequire } from 'node:module'
    import '${new URL('../../../src/kafka/wire.ts', import.meta.url).href}'
    import { frameRequest } from '${new URL('../../../src/kafka/request.ts', import.meta.url).href}'
    const require = createRequire('${import.meta.url}')
    const path = require.resolve('kafkajs/src/protocol/request')
    const connection = require.cache[require.resolve('kafkajs/src/network/connection')]
    const isOurs = require(path) === frameRequest
    process.stdout.write(String(isOurs && connection.children.every(({ id, exports }) => id !== path || exports === frameRequest)))`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '--eval', script],
    { encoding: 'utf8', cwd: new URL('../../..', import.meta.url) },
  )
  assert.equal(stdout, 'true', stderr)
})
