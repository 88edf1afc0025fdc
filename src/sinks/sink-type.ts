import { z } from 'zod'
import type { Finding } from '../finding.ts'
import type { StageOptions } from '../kafka/task.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Message } from '../model.ts'
import type { RevisionReader, Sink, SinkContext } from './sink.ts'
import { whereSchema } from './where.ts'

/** What every `sinks:` entry has. */
const common = {
  name: z.string().min(1, 'Give the sink a name.'),
  where: whereSchema.optional(),
}

/** The strict schema of the `sinks:` entries of one type, with the keys that it has beside the common ones. */
export function sinkEntry<const Type extends string, Keys extends z.ZodRawShape>(type: Type, keys: Keys) {
  return z.strictObject({ ...common, type: z.literal(type), ...keys })
}

/** One type of sink: its `sinks:` entry, how messages are carried, and what is done with the store that an entry names. */
export type SinkType<Config> = (CarriedSink<Config> | StagedSink<Config>) & StoreType<Config>

/** Messages are carried into a store outside Kafka. */
interface CarriedSink<Config> {
  /** Throws ChatfeedError `transient` while the store cannot be reached, `fatal` when trying again cannot help. */
  open(config: Config, context: SinkContext): Promise<Sink>
  /**
   * How long messages may wait in a sink that gathers them (`Sink.flush`), ms; absent where every write stores at once.
   */
  gathersMs?(config: Config): number
  stage?: never
  topic?: never
}

/** Messages are written to another topic of the same cluster, in the transaction that counts them. */
interface StagedSink<Config> {
  open?: never
  gathersMs?: never
  /** Prepares the topic. Throws ChatfeedError when it cannot be used. */
  stage(config: Config, context: StageContext): Promise<SinkStage>
  /** The topic that an entry names. */
  topic(config: Config): string
}

/** What a staged sink is opened with. */
export interface StageContext extends Pick<SinkContext, 'log' | 'placedMessagesOf'> {
  kafka: KafkaConnection
  deadTopic: string
  /** Of `messages`. */
  partitions: number
  /** Null for as many as chatfeed's own topics have by default. */
  replicationFactor: number | null
}

/** A sink that runs as a stage: the topics that it writes, and its tasks. */
export type SinkStage = Pick<StageOptions, 'outputs' | 'open'>

/** What can be done with a store. */
interface StoreType<Config> {
  /**
   * Names the store where it holds positions, which carry no name of a sink: two sinks in one store would take the
   * other's place for their own. Absent where the group keeps the place.
   */
  storeOf?(config: Config): string
  /** Messages stored, asked without opening the store for writing; null where it is not to be seen from here. */
  count(config: Config): Promise<number | null>
  /**
   * Opens a reader of what is stored; resolves to null where the store is not to be seen from here. A type whose stores
   * can never be asked has null instead: then the group's own offsets are all that an audit can go by.
   */
  revisions: ((config: Config) => Promise<RevisionReader | null>) | null
  /**
   * Sets the positions of a stream back to these offsets; with null forgets them all, with every message stored. Nobody
   * may write meanwhile.
   */
  rewind(config: Config, stream: string, to: ReadonlyMap<number, number> | null): Promise<void>
  /** What `chatfeed check` finds about the store; changes nothing there. */
  check(config: Config): Promise<Finding[]>
  /** Whether a message that the sink takes is no longer to be found in the store afterwards. */
  removes?(config: Config, message: Message): boolean
}

/** Checks a sink type against the schema of its own entries. */
export const sinkType = <Schema extends z.ZodType>(
  type: { config: Schema } & SinkType<z.infer<Schema>>,
): typeof type => type
