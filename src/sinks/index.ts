import { z } from 'zod'
import type { Finding } from '../finding.ts'
import type { Message } from '../model.ts'
import type { RevisionReader, Sink, SinkContext } from './sink.ts'
import type { SinkStage, SinkType, StageContext } from './sink-type.ts'
import { clickhouse } from './clickhouse/index.ts'
import { files } from './files/index.ts'
import { opensearch } from './opensearch/index.ts'
import { postgres } from './postgres/index.ts'
import { sqlite } from './sqlite/index.ts'
import { topic } from './topic/index.ts'
import { webhook } from './webhook/index.ts'
import { taking } from './where.ts'

/** The sink types of this version; the code of a store is loaded only when it is needed. */
const types = { clickhouse, files, opensearch, postgres, sqlite, topic, webhook }

type Schema = (typeof types)[keyof typeof types]['config']
const schemas = Object.values(types).map(({ config }) => config) as [Schema, ...Schema[]]

/** The strict schema of one `sinks:` entry. */
export const sinkConfig = z.discriminatedUnion('type', schemas, {
  error: ({ input }) => {
    const type = (input as { type?: unknown } | null | undefined)?.type
    const known = Object.keys(types).join(', ')
    if (typeof type !== 'string') return `Give the sink a type: ${known}.`
    return `There is no sink type ${type}; this version has: ${known}.`
  },
})
/** A checked `sinks:` entry. */
export type SinkConfig = z.infer<typeof sinkConfig>

/** Opens the store of a `sinks:` entry that messages are carried to. Throws as `SinkType.open` does. */
export async function openSink(config: SinkConfig, context: SinkContext): Promise<Sink> {
  const type = typeOf(config)
  if (!type.open) throw new Error(`A sink of type ${config.type} is a stage.`)
  return type.open(config, context)
}

/** The stage of a `sinks:` entry that writes a topic; null for one with a store outside Kafka. */
export async function sinkStageOf(config: SinkConfig, context: StageContext): Promise<SinkStage | null> {
  return (await typeOf(config).stage?.(config, context)) ?? null
}

/** The topic that a sink writes; null for one with a store outside Kafka. */
export function sinkTopic(config: SinkConfig): string | null {
  return typeOf(config).topic?.(config) ?? null
}

/** Names the store of a sink that keeps positions in it; null for one that does not. */
export function storeOf(config: SinkConfig): string | null {
  const store = typeOf(config).storeOf?.(config)
  return store === undefined ? null : `${config.type} ${store}`
}

/** How long messages may wait in a sink that gathers them, ms; null for one that stores them at once. */
export function gathersMs(config: SinkConfig): number | null {
  return typeOf(config).gathersMs?.(config) ?? null
}

/**
 * Messages stored by a sink, asked without opening it for writing; null where the store is not to be seen from
 * here. Throws ChatfeedError when the store cannot tell.
 */
export function storedRows(config: SinkConfig): Promise<number | null> {
  return typeOf(config).count(config)
}

/** Whether the stores of this type can be asked for what they hold. */
export function isAskable(config: SinkConfig): boolean {
  return typeOf(config).revisions !== null
}

/**
 * A reader of the revisions that a sink has stored; null where the store cannot be asked (from here). Throws
 * ChatfeedError when it cannot tell.
 */
export async function storedRevisions(config: SinkConfig): Promise<RevisionReader | null> {
  return (await typeOf(config).revisions?.(config)) ?? null
}

/** Sets a sink back, or empties it: see `SinkType.rewind`. */
export function rewindSink(
  config: SinkConfig,
  stream: string,
  to: ReadonlyMap<number, number> | null,
): Promise<void> {
  return typeOf(config).rewind(config, stream, to)
}

/** What `chatfeed check` finds about the store of an entry; changes nothing there. */
export function checkSink(config: SinkConfig): Promise<Finding[]> {
  return typeOf(config).check(config)
}

/** Which messages are carried to a store, and which of those are not found there afterwards. */
export interface Selection {
  takes(message: Message): boolean
  removes(message: Message): boolean
}

/** What becomes of messages in a sink that does not simply store every one; null for one that does. */
export function selectionOf(config: SinkConfig): Selection | null {
  const takes = taking(config.where)
  const type = typeOf(config)
  if (!takes && !type.removes) return null
  return {
    takes: takes ?? (() => true),
    removes: (message) => type.removes?.(config, message) ?? false,
  }
}

/** Each type is only ever given entries of its own. */
const typeOf = ({ type }: SinkConfig) => types[type] as unknown as SinkType<SinkConfig>
