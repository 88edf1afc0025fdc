import { z } from 'zod'
import { sinkEntry } from '../sink-type.ts'

/** A `sinks:` entry with `type: topic`. The name is taken as it stands, without `kafka.topicPrefix`. */
export const topicConfig = sinkEntry('topic', {
  topic: z
    .string('Name the topic that messages are written to.')
    .regex(/^(?!\.\.?$)(?!__)[\w.-]{1,249}$/, 'letters, digits, dot, dash and underscore only, at most 249'),
})
/** A checked entry. */
export type TopicConfig = z.infer<typeof topicConfig>
