import type { LedgerEntry, Message, RawMessage, UnreadCount } from '../../src/model.ts'

/** One value of each type with every field filled, so that a round trip shows what a schema forgets. */
export const rawMessage = {
  revision: 0,
  id: 'easemob:acme#helpdesk:1287645',
  provider: 'easemob',
  source: 'support',
  tenant: 'acme#helpdesk',
  origin: '2026112310#7',
  fingerprint: Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
  sentAt: 1_795_600_000_123,
  fetchedAt: 1_795_600_060_456,
  payload: Buffer.from([0x7b, 0xff, 0x00, 0xc3, 0x28, 0x7d]),
} satisfies RawMessage

export const message = {
  id: 'easemob:acme#helpdesk:1287645',
  revision: 3,
  provider: 'easemob',
  source: 'support',
  tenant: 'acme#helpdesk',
  messageId: '1287645',
  origin: '2026112310#7',
  conversation: { kind: 'direct', id: 'li|wang' },
  sender: { id: 'li', name: '小李', role: 'teacher', avatar: 'https://pictures.example/li.png' },
  recipient: 'wang',
  sentAt: 1_795_600_000_123,
  fetchedAt: 1_795_600_060_456,
  enrichedAt: 1_795_600_061_789,
  kind: 'image',
  providerType: 'img',
  text: '发票 📎.png',
  attachments: [
    {
      role: 'original',
      url: 'https://files.example/a',
      resolvedUrl: 'https://files.example/a?share-secret=x',
      name: '发票.png',
      mimeType: 'image/png',
      size: 5_000_000_000,
      width: 640,
      height: 480,
      durationSeconds: 1.25,
      state: 'archived',
      sha256: 'e3b0c442',
      archiveKey: 'a/b',
    },
  ],
  location: { latitude: 30.276532, longitude: 120.13291, address: '杭州' },
  status: 'pending',
  session: 's1',
  refersTo: 'easemob:acme#helpdesk:1287644',
  data: '{"orderId":9007199254740993}',
} satisfies Message

export const ledgerEntry = {
  source: 'support',
  unit: '2026112310',
  state: 'published',
  attempts: 2,
  lines: 1_234,
  bytes: 5_000_000_000,
  digest: 'abcdef',
  firstTriedAt: 1_795_600_000_000,
  lastTriedAt: 1_795_600_000_001,
  publishedAt: 1_795_600_000_002,
  deadline: 1_795_600_000_003,
  nextLookAt: 1_795_600_000_004,
  reason: 'told by the provider',
} satisfies LedgerEntry

export const unreadCount = {
  source: 'support',
  tenant: 'acme#helpdesk',
  user: 'lin',
  count: 5,
  queues: { lin: 3, 'lin/pad': 2 },
  reason: 'told by the provider',
  observedAt: 1_795_600_000_005,
} satisfies UnreadCount
