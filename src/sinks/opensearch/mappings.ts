/** Lucene takes no term of more than 32,766 bytes: what could be longer in UTF-8 is kept, but not searched by. */
const keyword = { type: 'keyword', ignore_above: 8_191 } as const
/** Kept as it came, and not looked at. */
const kept = { type: 'object', enabled: false } as const

/** How the words of a text are found: an analyzer for documents, and the one for questions where that differs. */
export interface Analysis {
  analyzer: string
  search_analyzer?: string
}

/**
 * The mapping of a message. No message is refused for a field: what a later chatfeed adds is kept in an older index, and
 * not indexed (`dynamic: false`).
 */
export function messageMappings(analysis: Analysis) {
  const text = { type: 'text', ...analysis } as const
  return {
    dynamic: false,
    properties: {
      id: keyword,
      revision: { type: 'integer' },
      provider: keyword,
      source: keyword,
      tenant: keyword,
      messageId: keyword,
      conversationKind: keyword,
      conversationId: keyword,
      senderId: keyword,
      senderName: { ...keyword, fields: { text } },
      senderRole: keyword,
      recipient: keyword,
      sentAt: { type: 'date', format: 'epoch_millis' },
      kind: keyword,
      providerType: keyword,
      text,
      status: keyword,
      latitude: { type: 'double' },
      longitude: { type: 'double' },
      address: text,
      session: keyword,
      refersTo: keyword,
      data: kept,
      attachments: {
        properties: {
          role: keyword,
          url: kept,
          resolvedUrl: kept,
          name: { ...keyword, fields: { text } },
          mimeType: keyword,
          size: { type: 'long' },
          width: { type: 'long' },
          height: { type: 'long' },
          durationSeconds: { type: 'double' },
          state: keyword,
          sha256: keyword,
          archiveKey: keyword,
        },
      },
      origin: keyword,
    },
  } as const
}

/** The mapping of a position; it is found by its `_id` alone. */
export const positionMappings = {
  dynamic: false,
  properties: { stream: keyword, partition: { type: 'integer' }, nextOffset: { type: 'long' } },
} as const
