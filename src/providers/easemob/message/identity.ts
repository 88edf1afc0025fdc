import { hash } from 'node:crypto'
import { fingerprintOf } from '../../canonical.ts'
import type { Identity } from '../../provider.ts'
import { partsOf } from './parts.ts'
import { quickIdentity } from './quick-identity.ts'
import { asId, asObject, asTime, readRecord } from './records.ts'

/**
 * Files one record without understanding it. The fingerprint covers what the provider can change – bodies,
 * ext, chat type, the marks of a recall or an edit – and nothing that only one route writes: direction, uuid,
 * type, created, modified, and the sender and recipient, which stand in one place or in two. So a row of the
 * retired pull interface and a line of an hour file agree, and so do old forms and new that say the same (`partsOf`). An
 * empty ext is the same as none.
 */
export function identify(payload: Buffer): Identity {
  return quickIdentity(payload) ?? identifyParsed(payload)
}

/** The same by way of the parser: the judge of every form. */
export function identifyParsed(payload: Buffer): Identity {
  const record = readRecord(payload)
  const messageId = asId(record?.msg_id)
  if (record === undefined || messageId === null) {
    return { messageId: null, fingerprint: hash('md5', payload, 'buffer'), sentAt: asTime(record?.timestamp) }
  }
  const { outer, payload: content, bodies, ext } = partsOf(record)
  return {
    messageId,
    fingerprint: fingerprintOf([
      outer.chat_type,
      bodies,
      ext,
      outer.recall_id,
      content.ack_message_id,
      content.edit_message_id,
      asObject(content.meta)?.edit_msg,
    ]),
    sentAt: asTime(record.timestamp),
  }
}
