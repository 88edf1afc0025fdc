import type { Attachment } from '../model.ts'

/** An attachment of which only its link is known, with what else the provider told. */
export function linkedAttachment(url: string, known: Partial<Attachment> = {}): Attachment {
  // Member by member: what spread makes is slow to read.
  return {
    role: known.role ?? 'original',
    url: known.url ?? url,
    resolvedUrl: known.resolvedUrl ?? url,
    name: known.name ?? null,
    mimeType: known.mimeType ?? null,
    size: known.size ?? null,
    width: known.width ?? null,
    height: known.height ?? null,
    durationSeconds: known.durationSeconds ?? null,
    state: known.state ?? 'linked',
    sha256: known.sha256 ?? null,
    archiveKey: known.archiveKey ?? null,
  }
}
