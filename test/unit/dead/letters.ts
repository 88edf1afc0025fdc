import { rawMessageCodec, codecs } from '../../support/codecs.ts'
import { Letter } from '../../../src/dead/letter.ts'
import type { RawMessage } from '../../../src/model.ts'
import { type PlainRecord, recordSet } from '../stages/records.ts'

/** A letter of enrich as an earlier version left it: these fields and the payload of a raw message. */
export function enrichLetter(raw: RawMessage, replays = 0): PlainRecord {
  return {
    key: Buffer.from(raw.id),
    value: raw.payload,
    headers: {
      'chatfeed.error.code': 'not_known_yet',
      'chatfeed.error.stage': 'enrich',
      'chatfeed.error.reason': 'This version did not know it.',
      'chatfeed.error.topic': 'chatfeed.unique',
      'chatfeed.error.partition': '3',
      'chatfeed.error.offset': '42',
      'chatfeed.origin': raw.origin,
      'chatfeed.envelope': Buffer.from(rawMessageCodec.encode({ ...raw, payload: Buffer.alloc(0) })),
      ...(replays > 0 && { 'chatfeed.replays': String(replays) }),
    },
  }
}

/** A letter of dedup: what lay in a raw topic. */
export function dedupLetter(
  key: Buffer | null,
  value: Buffer | null,
  topic = 'chatfeed.raw.easemob',
): PlainRecord {
  return {
    key,
    value,
    headers: {
      'chatfeed.error.code': 'unknown_schema',
      'chatfeed.error.stage': 'dedup',
      'chatfeed.error.reason': 'The value is no raw message.',
      'chatfeed.error.topic': topic,
      'chatfeed.error.partition': '3',
      'chatfeed.error.offset': '7',
      'chatfeed.origin': '',
    },
  }
}

/** Letters as they are read from partition 3 of `dead`, from offset 100 on. */
export function readLetters(records: readonly PlainRecord[], timestampMs = 1_000): Letter[] {
  return Array.from(
    recordSet(records, { topic: 'chatfeed.dead', timestampMs }),
    (record) => new Letter(codecs, 3, record),
  )
}
