import { openFolderStore } from './folder.ts'
import type { ObjectStore, S3Settings } from './object-store.ts'

export type { ObjectInfo, ObjectStore, S3Settings } from './object-store.ts'

/** Whether a place is a bucket, and no folder of this machine. */
export function isS3(place: string): boolean {
  return /^s3:\/\//i.test(place)
}

/**
 * Opens the store at a place: a folder, or `s3://bucket/prefix`. Throws ChatfeedError. The code for S3 is loaded only
 * by who has a bucket.
 */
export async function openObjectStore(place: string, s3: S3Settings = {}): Promise<ObjectStore> {
  return isS3(place) ? (await import('./s3.ts')).openS3Store(place, s3) : openFolderStore(place)
}
