import { decodeHTML } from 'entities'
import type { Attachment, MessageContent, MessageKind } from '../../../model.ts'
import { linkedAttachment } from '../../attachment.ts'
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

/** By `msgType`, an open set; some are the clients' words for the same things (facts: Polyv docs, iOS, Android and web clients). */
const readers = new Map<string, Reader>(
  Object.entries<Reader>({
    chatImg: picture,
    image: picture,
    emotion: picture,
    redpaper: redPacket,
    get_redpaper: redPacket,
    redpaperReceive: redPacket,
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

/** What clients call plain talk. */
const talkTypes = new Set(['', 'speak'])

/** Understands the body: text where the type is empty, an object where it is not, both also where it should not be. */
export function understandContent(item: Item): UnderstoodContent {
  const understood = readBody(item)
  // Whatever the type, an image address beside the body belongs to the message.
  if (understood.attachments.length === 0 && item.image !== '') understood.attachments = imageAt(item.image)
  return understood
}

function readBody(item: Item): UnderstoodContent {
  const { content, fields } = item
  const type = talkTypes.has(item.type) ? '' : item.type
  if (typeof content === 'object') {
    const reader = readers.get(type || typeOf(content, typeof fields.content === 'string'))
    if (reader) return reader(content, item)
    // Talk that happens to be JSON text is still talk.
    if (type === '' && typeof fields.content === 'string') return talk(fields.content, item.image)
    return { kind: 'other', text: plainText(content.content), attachments: [] }
  }
  if (type === '') return talk(content, item.image)
  // Client history writes the members of a red packet beside a content that is text.
  const reader = readers.get(type)
  return reader
    ? reader({ ...fields, content }, item)
    : { kind: 'other', text: plainText(content), attachments: [] }
}

function talk(content: string, image: string): UnderstoodContent {
  const text = plainText(content)
  return { kind: text === null && isLink(image) ? 'image' : 'text', text, attachments: [] }
}

function picture(content: Fields, item: Item): UnderstoodContent {
  const isSticker = item.type === 'emotion' || content.type === 'emotion'
  return {
    kind: isSticker ? 'sticker' : 'image',
    text: null,
    attachments: imageAt(
      word(content.uploadImgUrl) || word(content.url) || linkIn(content.content) || item.image,
      objectOf(content.size) ?? {},
    ),
  }
}

/** A picture's body may be its address alone. */
const linkIn = (value: unknown): string => (isLink(word(value)) ? word(value) : '')

/**
 * The type of a body whose item does not tell: the shape of a file, or an object's own word. Text is not believed:
 * anybody can type the JSON of a red packet.
 */
function typeOf(content: Fields, isText: boolean): string {
  const isFile = isLink(word(content.url)) && typeof content.name === 'string'
  const ownWord = isText ? '' : word(content.msgSource)
  return ownWord || (isFile ? 'file' : '')
}

/** The explanation is misspelt `conetnt` on one page of the docs. */
function redPacket(content: Fields): UnderstoodContent {
  return {
    kind: 'red_packet',
    text: plainText(content.content) ?? plainText(content.conetnt),
    attachments: [],
  }
}

function custom(content: Fields): UnderstoodContent {
  return {
    kind: 'custom',
    text: plainText(content.tip) ?? plainText(content.content),
    attachments: imageAt(word(content.image)),
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

/**
 * What the service escapes by, also without its semicolon (facts: Polyv Android client), and entities of all sorts
 * with theirs. Followed by letters and `=` a name is more likely the parameter of a link: `&quote=1`.
 */
const entity = /&(?:#\d+|#x[\da-f]+|[a-z][a-z\d]*);|&(?:#39|(?:lt|gt|amp|quot|nbsp|yen)(?![a-z\d_]+=))/gi

/** Text as a person reads it: HTML entities decoded once. */
function plainText(value: unknown): string | null {
  const text = typeof value === 'string' ? decoded(value) : word(value)
  return text.trim() === '' ? null : text
}

function decoded(text: string): string {
  return text.includes('&') ? text.replace(entity, (found) => decodeHTML(found)) : text
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

/** What no Avro int holds is no width of a picture. */
const mostPixels = 2 ** 31 - 1

function pixels(value: unknown): number | null {
  const number = Math.round(Number(word(value)))
  return number > 0 && number <= mostPixels ? number : null
}
