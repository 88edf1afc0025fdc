/**
 * The words of the domain.
 *
 * - **provider**: a chat service that hands out history (`easemob`, `polyv`).
 * - **source**: one account of a provider, as configured; its `name` is unique.
 * - **tenant**: the provider's own name of that account (`org#app`, `appId`).
 * - **unit**: one provider hour of a source, the unit of work, of the ledger and of the audit.
 * - **record**: what the provider handed out for one message, byte for byte.
 * - **origin**: `unit#position`, where a record was met.
 * - **fingerprint**: digest of what the provider can change about a message.
 * - **revision**: the n-th distinct content of one message id, from 1.
 * - **dead letter**: a record that could not be understood, kept with its reason.
 */

/** A record as it lies in `raw.*` and `unique`. Mirrors `schemas/raw-message.avsc`. */
export interface RawMessage {
  /** 0 in `raw.*`; counted from 1 in `unique`. */
  revision: number
  /** `provider:tenant:providerMessageId`, or `provider:tenant:unit#position` for a record without an id. */
  id: string
  provider: string
  source: string
  tenant: string
  origin: string
  /** 16 bytes. */
  fingerprint: Buffer
  /** Epoch milliseconds; null where the record does not tell. */
  sentAt: number | null
  /** Epoch milliseconds. */
  fetchedAt: number
  payload: Buffer
}

/** Where a message can be said. */
export const conversationKinds = ['direct', 'group', 'room'] as const
/** One of `conversationKinds`. */
export type ConversationKind = (typeof conversationKinds)[number]

/** What a message can be; `other` is a type that chatfeed does not know. */
export const messageKinds = [
  'text',
  'image',
  'audio',
  'video',
  'file',
  'location',
  'command',
  'custom',
  'combined',
  'sticker',
  'reward',
  'red_packet',
  'recall',
  'edit',
  'other',
] as const
/** One of `messageKinds`. */
export type MessageKind = (typeof messageKinds)[number]

/** Whether readers of the provider see a message. */
export const messageStatuses = ['visible', 'pending', 'deleted'] as const
/** One of `messageStatuses`. */
export type MessageStatus = (typeof messageStatuses)[number]

/** The file itself, or its preview. */
export const attachmentRoles = ['original', 'thumbnail'] as const
/** What is known of an attached file. */
export const attachmentStates = ['linked', 'available', 'gone', 'forbidden', 'failed', 'archived'] as const

/** A file that belongs to a message. */
export interface Attachment {
  role: (typeof attachmentRoles)[number]
  /** As the provider wrote it, made absolute (`//host` becomes `https://host`). */
  url: string
  /** Can be fetched as it is: the share-secret is applied. */
  resolvedUrl: string
  name: string | null
  mimeType: string | null
  /** Bytes. */
  size: number | null
  /** Pixels. */
  width: number | null
  height: number | null
  durationSeconds: number | null
  state: (typeof attachmentStates)[number]
  /** Lower-case hex. */
  sha256: string | null
  archiveKey: string | null
}

/** Where a message was said. */
export interface Conversation {
  kind: ConversationKind
  /** direct: both user ids, sorted by code unit, joined by `|`; otherwise the group or room id. */
  id: string
}

/** Who said it; null where the provider did not tell. */
export interface Sender {
  id: string | null
  name: string | null
  role: string | null
  avatar: string | null
}

/** A place that was sent; degrees. */
export interface Location {
  latitude: number
  longitude: number
  address: string | null
}

/** What a provider's folder understands of one record. */
export interface MessageContent {
  conversation: Conversation
  sender: Sender
  recipient: string | null
  /** Epoch milliseconds. */
  sentAt: number
  kind: MessageKind
  /** The provider's own word for the kind; `''` where it gave none. */
  providerType: string
  /** What a person would search for; null where there is nothing. */
  text: string | null
  attachments: Attachment[]
  location: Location | null
  status: MessageStatus
  session: string | null
  /** Id of the message quoted, recalled or edited, in the form of `Message.id`. */
  refersTo: string | null
  /** JSON text of what has no field of its own; numbers keep their digits. */
  data: string | null
}

/** A normalised message as it lies in `messages`. Mirrors `schemas/message.avsc`. */
export interface Message extends MessageContent {
  id: string
  revision: number
  provider: string
  source: string
  tenant: string
  /** The provider's own id. */
  messageId: string
  origin: string
  fetchedAt: number
  enrichedAt: number
}

/** How a unit of work can stand. */
export const unitStates = ['pending', 'not_yet', 'empty', 'published', 'lost', 'failed'] as const
/** One of `unitStates`. */
export type UnitState = (typeof unitStates)[number]

/** The state of one unit of work. Mirrors `schemas/ledger-entry.avsc`. Times are epoch milliseconds. */
export interface LedgerEntry {
  source: string
  unit: string
  state: UnitState
  attempts: number
  /** Records handed out by the newest complete reading. */
  lines: number
  bytes: number
  /** Hex digest of the content of the newest complete reading; `''` before the first. */
  digest: string
  /** Null before, and for an hour that only a backfill has read: the running job was never to read it. */
  firstTriedAt: number | null
  lastTriedAt: number | null
  publishedAt: number | null
  /** After this the provider no longer has the unit; null where it never forgets. */
  deadline: number | null
  /** When the unit is due again; null when it is closed. */
  nextLookAt: number | null
  reason: string | null
}

/** How many messages wait for a user. Mirrors `schemas/unread-count.avsc`. */
export interface UnreadCount {
  source: string
  tenant: string
  user: string
  /** Sum over the user's queues; null where the provider did not tell. */
  count: number | null
  queues: Record<string, number>
  /** Why there is no count. */
  reason: string | null
  /** Epoch milliseconds. */
  observedAt: number
}

/** `provider:tenant:providerMessageId`: the key of every record and the name of a message everywhere. */
export function messageId(provider: string, tenant: string, providerMessageId: string): string {
  return `${provider}:${tenant}:${providerMessageId}`
}
