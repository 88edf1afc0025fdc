import { linkedAttachment } from '../attachment.ts'
import { decodeHTML } from 'entities'
import type { Attachment, MessageContent, MessageKind } from '../../model.ts'
import { objectOf, word, type Fields, type Item } from './item.ts'
import { absoluteUrl, isLink } from './links.ts'

/** What the body of an item says; `sender` overrides what `user` says. */
export interface UnderstoodContent {
  kind: MessageKind
  text: string | null
  attachments: Attachment[]
  sender?: Partial<MessageContent['sender']>
}

type Reader = (content: Fields, item: Item) => UnderstoodContent

/** By `msgType`, an open set; `customMessage` and `file` are the clients' words for the same things. */
const readers = new Map<string, Reader>(
  Object.entries<Reader>({
    chatImg: (content, item) => ({
      kind: content.type === 'emotion' ? 'sticker' : 'image',
      text: null,
      attachments: imageAt(word(content.uploadImgUrl) || item.image, objectOf(content.size) ?? {}),
    }),
    redpaper: redPacket,
    get_redpaper: redPacket,
    reward: (content, item) => ({
      kind: 'reward',
      text: plainText(content.rewardContent),
      attachments: [],
      sender: giverOf(content, item),
    }),
    custom,
    customMessage: custom,
    customerMessage: custom,
    file: (content) => ({ kind: 'file', text: word(content.name) || null, attachments: fileAt(content) }),
  }),
)

/** Understands the body: text where the type is empty, an object where it is not, both also where it should not be. */
export function understandContent(item: Item): UnderstoodContent {
  const { content, type, image, fields } = item
  if (typeof content === 'object') {
    const reader = readers.get(type || typeOf(content))
    if (reader) return reader(content, item)
    // Talk that happens to be JSON text is still talk.
    if (type === '' && typeof fields.content === 'string') return talk(fields.content, image)
    return { kind: 'other', text: plainText(content.content), attachments: imageAt(image) }
  }
  if (type === '') return talk(content, image)
  // Client history writes the members of a red packet beside a content that is text.
  const reader = readers.get(type)
  return reader
    ? reader({ ...fields, content }, item)
    : { kind: 'other', text: plainText(content), attachments: imageAt(image) }
}

function talk(content: string, image: string): UnderstoodContent {
  const attachments = imageAt(image)
  const text = plainText(content)
  return { kind: text === null && attachments.length > 0 ? 'image' : 'text', text, attachments }
}

/** The type of an object whose item does not tell: its own word, or the shape of a file. */
function typeOf(content: Fields): string {
  const isFile = isLink(word(content.url)) && typeof content.name === 'string'
  return word(content.msgSource) || (isFile ? 'file' : '')
}

/** The explanation is misspelt `conetnt` on one page of the docs. */
function redPacket(content: Fields): UnderstoodContent {
  return {
    kind: 'red_packet',
    text: plainText(content.content) ?? plainText(content.conetnt),
    attachments: [],
  }
}

function custom(content: Fields, item: Item): UnderstoodContent {
  return {
    kind: 'custom',
    text: plainText(content.tip) ?? plainText(content.content),
    attachments: imageAt(word(content.image) || item.image),
  }
}

/** The service sends a reward in its own name and names the giver in the body. */
function giverOf(content: Fields, item: Item): Partial<MessageContent['sender']> {
  const id = word(objectOf(content.rewardUser)?.userId)
  const name = word(content.unick)
  const avatar = word(content.uimg)
  return {
    ...(id && { id, role: word(item.fields.userType) || null }),
    ...(name && { name }),
    ...(avatar && { avatar: absoluteUrl(avatar) }),
  }
}

/** Text as a person reads it: HTML entities decoded once, with and without their semicolon. */
function plainText(value: unknown): string | null {
  const text = typeof value === 'string' ? decodeHTML(value) : word(value)
  return text.trim() === '' ? null : text
}

function imageAt(url: string, size: Fields = {}): Attachment[] {
  return attachment(url, { width: pixels(size.width), height: pixels(size.height) })
}

function fileAt(content: Fields): Attachment[] {
  return attachment(word(content.url), { name: word(content.name) || null })
}

function attachment(url: string, known: Partial<Attachment>): Attachment[] {
  if (!isLink(url)) return []
  return [linkedAttachment(absoluteUrl(url), known)]
}

function pixels(value: unknown): number | null {
  const number = Number(word(value))
  return Number.isFinite(number) && number > 0 ? Math.round(number) : null
}
