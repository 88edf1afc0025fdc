import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolutionHeaders, resolutionIn } from '../../../src/dead/resolution.ts'
import { type PlainRecord, recordSet } from '../stages/records.ts'
import { rawMessage } from '../samples.ts'
import { dedupLetter, enrichLetter, readLetters } from './letters.ts'

const told = (record: PlainRecord) => [...recordSet([record])].map(resolutionIn)[0]

function resolutionOf(record: PlainRecord, resolution: Parameters<typeof resolutionHeaders>[2]): PlainRecord {
  const [letter] = readLetters([record])
  assert.ok(letter)
  const headers = resolutionHeaders(letter.headers, letter.deadOffset, resolution)
  return {
    key: letter.key,
    value: null,
    headers: Object.fromEntries(headers.map(({ key, value }) => [key, value])),
  }
}

test('what became of a letter can be read back, with the offset of the letter', () => {
  const discarded = { outcome: 'discarded', at: 1_795_600_000_000, reason: '坏了 at the provider' } as const
  assert.deepEqual(told(resolutionOf(enrichLetter(rawMessage), discarded)), {
    offset: 100,
    resolution: discarded,
  })
  const replayed = { outcome: 'replayed', at: 5, reason: null } as const
  assert.deepEqual(told(resolutionOf(dedupLetter(null, Buffer.from('?')), replayed))?.resolution, replayed)
})

test('it carries why and whence the letter died and how often it was replayed, and nothing of its content', () => {
  const { headers } = resolutionOf(enrichLetter(rawMessage, 4), { outcome: 'replayed', at: 5, reason: null })
  assert.deepEqual(
    Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)])),
    {
      'chatfeed.error.code': 'not_known_yet',
      'chatfeed.error.stage': 'enrich',
      'chatfeed.error.reason': 'This version did not know it.',
      'chatfeed.error.topic': 'chatfeed.unique',
      'chatfeed.error.partition': '3',
      'chatfeed.error.offset': '42',
      'chatfeed.origin': '2026112310#7',
      'chatfeed.replays': '4',
      'chatfeed.resolution': 'replayed',
      'chatfeed.resolution.offset': '100',
      'chatfeed.resolution.at': '5',
    },
  )
})

test('letters are no resolutions, also those without a value', () => {
  assert.equal(told(enrichLetter(rawMessage)), null)
  assert.equal(told(dedupLetter(Buffer.from('k'), null)), null)
})

test('a letter that only claims a resolution in its headers stays a letter', () => {
  assert.equal(
    told({ key: null, value: Buffer.from('x'), headers: { 'chatfeed.resolution': 'replayed' } }),
    null,
  )
})
