import type { Attachment } from '../model.ts'

/** An attachment of which only its link is known, with what else the provider told. */
export function linkedAttachment(url: string, known: Partial<Attachment> = {}): Attachment {
  return {
    role: 'original',
    url,
    resolvedUrl: url,
    name: null,
    mimeType: null,
    size: null,
    width: null,
    height: null,
    durationSeconds: null,
    state: 'linked',
    sha256: null,
    archiveKey: null,
    ...known,
  }
}
