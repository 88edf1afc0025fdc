import type { Attachment, MessageKind } from '../model.ts'

const mediaKinds = new Set<MessageKind>(['image', 'audio', 'video', 'sticker'])
const textNames = /\.(?:html?|xhtml|json|xml|svg|txt|csv|md|log|ya?ml|js|ts|css)$/i
const pageTypes = /^(?:text\/html|application\/(?:xhtml\+xml|(?:\w+\+)?json|problem\+json)|text\/json)\b/i
const textTypes = /^(?:text\/|application\/(?:json|xml|xhtml\+xml|problem\+json))/i
const pageStart =
  /^\s*(?:<!doctype\s+html|<html[\s>]|<\?xml[^>]*>\s*<error[\s>]|<error[\s>]|\{\s*"(?:error|code|status)"\s*:)/i

/** What a message promises of a file, against which an answer is held. */
export interface Promised {
  /** A picture, a sound or a film. */
  isMedia: boolean
  /** By its name it may be a page, or look like one. */
  mayBeText: boolean
}

/** What is promised by the kind of the message, the role and the name of the file. */
export function promisedBy({ role, name }: Attachment, kind: MessageKind): Promised {
  const isMedia = role === 'thumbnail' || mediaKinds.has(kind)
  // What a combined message holds is text, whatever its name.
  const isText = kind === 'combined' || (name !== null && textNames.test(name))
  return { isMedia, mayBeText: !isMedia && isText }
}

/** Whether an answer of this type is a page in the place of the file: of a gateway, a login or an error. */
export function isPageType(type: string | undefined, { isMedia, mayBeText }: Promised): boolean {
  if (type === undefined || mayBeText) return false
  return isMedia ? textTypes.test(type) : pageTypes.test(type)
}

/** Whether a file begins like a page or an error, whatever its type says. */
export function isPageStart(bytes: Uint8Array, { mayBeText }: Promised): boolean {
  return !mayBeText && pageStart.test(Buffer.from(bytes.subarray(0, 512)).toString('latin1'))
}
