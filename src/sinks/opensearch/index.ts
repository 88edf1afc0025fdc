import { sinkType } from '../sink-type.ts'
import { opensearchConfig } from './config.ts'

/** Documents in OpenSearch or Elasticsearch, one a message. */
export const opensearch = sinkType({
  config: opensearchConfig,
  storeOf: ({ url, index }) => `${url} ${index}`,
  open: async (config, context) => (await import('./sink.ts')).openOpensearchSink(config, context),
  count: async (config) => (await import('./count.ts')).countDocuments(config),
  revisions: async (config) => (await import('./revisions.ts')).openRevisions(config),
  rewind: async (config, stream, to) => (await import('./rewind.ts')).rewindOpensearch(config, stream, to),
  check: async (config) => (await import('./check.ts')).checkOpensearch(config),
  removes: ({ keepDeleted }, { status }) => !keepDeleted && status === 'deleted',
})
