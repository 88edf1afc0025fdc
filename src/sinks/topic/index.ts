import { fine } from '../../finding.ts'
import { sinkType } from '../sink-type.ts'
import { topicConfig } from './config.ts'

/**
 * Messages as JSON on another topic of the same cluster, exactly once: not a store beside Kafka but a stage within it,
 * whose place is committed in the transaction that writes the records.
 */
export const topic = sinkType({
  config: topicConfig,
  stage: async (config, context) => (await import('./stage.ts')).openTopicStage(config, context),
  topic: ({ topic: name }) => name,
  count: () => Promise.resolve(null),
  revisions: null,
  rewind: () => Promise.resolve(),
  check: ({ topic: name }) =>
    Promise.resolve([fine('topic', `Messages go to ${name}, which is looked at with the others of Kafka.`)]),
})
