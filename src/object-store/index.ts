import { ChatfeedError } from '../errors.ts'
import { openFolderStore } from './folder.ts'
import type { ObjectStore, S3Settings } from './object-store.ts'

export type { ObjectInfo, ObjectStore, S3Settings } from './object-store.ts'

/** Whether a place is a bucket, and no folder of this machine. */
export function isS3(place: string): boolean {
  return /^s3:\/\//i.test(place)
}

/** Opens the store at a place: a folder, or `s3://bucket/prefix`. Throws ChatfeedError. */
export async function openObjectStore(place: string, s3: S3Settings = {}): Promise<ObjectStore> {
  return isS3(place) ? openS3(place, s3) : openFolderStore(place)
}

/** Here goes `(await import('./s3.ts')).openS3Store(place, settings)`: loaded only by who has a bucket. */
function openS3(place: string, _settings: S3Settings): Promise<ObjectStore> {
  throw new ChatfeedError('fatal', 'no_s3', `This version has no store for ${place}.`, {
    mend: 'Name a folder instead.',
  })
}
