import { ChatfeedError } from '../../errors.ts'
import { fault, fine, type Finding } from '../../finding.ts'
import { checkFolder } from '../../folder.ts'
import { isS3, openObjectStore } from '../../object-store/index.ts'
import type { FilesConfig } from './config.ts'
import { ownFolder } from './keys.ts'

/** Whether the folder can be written to, or the bucket be read: the right to write there shows only by writing. */
export async function checkFiles({ path, s3 }: FilesConfig): Promise<Finding[]> {
  if (!isS3(path)) return [checkFolder('folder', path)]
  try {
    const store = await openObjectStore(path, s3)
    try {
      const first = await store.list(ownFolder)[Symbol.asyncIterator]().next()
      return [fine('bucket', first.done ? `${path} answers and is new.` : `${path} answers and is in use.`)]
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    return [fault('bucket', error.message, error.mend ?? 'Look at path and s3 of the sink.')]
  }
}
