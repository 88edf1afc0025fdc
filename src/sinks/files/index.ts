import { resolve } from 'node:path'
import { isS3 } from '../../object-store/index.ts'
import { sinkType } from '../sink-type.ts'
import { filesConfig } from './config.ts'

/**
 * Every revision of every message as a line or row of files, in a folder or a bucket of S3. The files are for other
 * programs: what they hold of an id is not to be asked in passing.
 */
export const files = sinkType({
  config: filesConfig,
  storeOf: ({ path, s3 }) => (isS3(path) ? `${s3.endpoint ?? ''} ${path}` : resolve(path)),
  open: async (config, context) => (await import('./sink.ts')).openFilesSink(config, context),
  gathersMs: ({ rollEvery }) => rollEvery,
  count: () => Promise.resolve(null),
  revisions: null,
  rewind: async (config, stream, to) => (await import('./rewind.ts')).rewindFiles(config, stream, to),
  check: async (config) => (await import('./check.ts')).checkFiles(config),
})
