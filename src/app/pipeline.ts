import { explain } from '../errors.ts'
import { runIngest, type SourceEnd } from '../ingest/ingest.ts'
import type { SourceStatus } from '../ingest/source-loop.ts'
import type { GroupMember } from '../kafka/group.ts'
import { runReader } from '../kafka/reader.ts'
import { runStage } from '../kafka/task.ts'
import { providers } from '../providers/index.ts'
import { gathersMs, openSink, sinkTopic } from '../sinks/index.ts'
import { LateSink } from '../sinks/late-sink.ts'
import { messageReader, placedMessageReader } from '../sinks/messages.ts'
import { refusal } from '../sinks/refusal.ts'
import type { Sink, SinkContext } from '../sinks/sink.ts'
import { sinkStage } from '../stages/names.ts'
import { carry, flush } from '../sinks/carry.ts'
import { openDedup } from '../stages/dedup.ts'
import { prepareEnrich } from './attachments.ts'
import { configuredSource } from './open-source.ts'
import type { Roles } from './roles.ts'
import type { RunningRole } from './running-role.ts'
import type { Runtime } from './runtime.ts'
import { openSinkStages, runSinkStage } from './sink-stages.ts'

/** The running roles of one process. */
export interface Pipeline {
  ingest: GroupMember | undefined
  /** In the order of a message's way. */
  stages: RunningRole[]
  sinks: ReadonlyMap<string, Pick<Sink, 'rows'>>
  sources: ReadonlyMap<string, SourceStatus>
  /** How each source of a `once` run ended; a source that stopped for good also shows here in a live run. */
  ended: ReadonlyMap<string, SourceEnd>
  /** Rejects when a role cannot go on: the process should end, and its supervisor start it again. */
  failed: Promise<never>
  /** False once a role has failed for good: the process ends, or hangs on its way out. */
  isAlive(): boolean
  /** Roles that have not been given any work yet. */
  joining(): string[]
  /** What keeps roles from going on now, `role: reason`, in sentences for the user; empty while all is well. */
  troubles(): string[]
  /** Finishes what is under way, in the order of a message's way. */
  stop(): Promise<void>
}

/** Starts the roles of this process. */
export async function startPipeline(runtime: Runtime, roles: Roles, once: boolean): Promise<Pipeline> {
  const { config, kafka, log, codecs, topics } = runtime
  const stages: RunningRole[] = []
  // Before any member starts: a store that is wrong for good must not leave half a pipeline behind.
  const sinkStages = await openSinkStages(runtime, roles)
  const sinks = await openSinks(runtime, roles)
  const enrich = roles.enrich ? await prepareEnrich(runtime).catch(closing(sinks)) : undefined
  const rollMs = new Map(config.sinks.map((sink) => [sink.name, gathersMs(sink)]))
  const sources = new Map<string, SourceStatus>()
  const ended = new Map<string, SourceEnd>()
  const raw = providers.map(({ name }) => topics.raw(name))

  if (roles.dedup) {
    const groupId = topics.group('dedup')
    const { unique, dead } = topics
    const open = () => openDedup({ codec: codecs.rawMessage, unique, dead, windowMs: config.dedup.window })
    stages.push({
      name: 'dedup',
      groupId,
      inputs: raw,
      member: runStage({ kafka, log, groupId, inputs: raw, outputs: [unique, dead], open }),
    })
  }
  if (enrich) {
    const groupId = topics.group('enrich')
    const inputs = [topics.unique]
    const outputs = [topics.messages, topics.dead, topics.attachments, ...raw]
    const member = runStage({ kafka, log, groupId, inputs, outputs, ...enrich })
    stages.push({ name: 'enrich', groupId, inputs, member })
  }
  for (const [name, sink] of sinks) {
    const groupId = topics.group(`sink.${name}`)
    const everyMs = rollMs.get(name) ?? null
    const member = runReader({
      kafka,
      log,
      groupId,
      topic: topics.messages,
      position: (partition) => sink.position(partition),
      write: (records, turn) => carry(records, sink, turn),
      gathering:
        everyMs === null
          ? undefined
          : {
              everyMs,
              whenIdle: once,
              flush: (partition) => flush(partition, sink),
              storedTo: (partition) => sink.storedTo(partition),
            },
    })
    stages.push({
      name: sinkStage(name),
      groupId,
      inputs: [topics.messages],
      member,
      gathers: everyMs !== null,
    })
  }
  for (const [name, stage] of sinkStages) stages.push(runSinkStage(runtime, name, stage))
  const ingest = roles.ingest
    ? runIngest({
        kafka,
        log,
        codecs,
        groupId: topics.group('ingest'),
        ledgerTopic: topics.ledger,
        rawTopic: topics.raw,
        unreadTopic: topics.unread,
        sources: config.sources.map((source) => configuredSource(runtime, source)),
        once,
        onStatus: (name, status) => {
          if (status) sources.set(name, status)
          else sources.delete(name)
        },
        onEnd: (name, end) => ended.set(name, end),
      })
    : undefined

  const named = [...(ingest ? [{ name: 'ingest', member: ingest }] : []), ...stages]
  const members = named.map(({ member }) => member)
  const failed = Promise.race(
    members.map((member) => member.done.then(() => new Promise<never>(() => undefined))),
  )
  failed.catch(() => undefined)
  const counted = new Map<string, Pick<Sink, 'rows'>>(sinks)
  for (const name of sinkStages.keys()) counted.set(name, { rows: () => Promise.resolve(null) })
  return {
    ingest,
    stages,
    sinks: counted,
    sources,
    ended,
    failed,
    isAlive: () => members.every((member) => !member.hasFailed),
    joining: () => named.filter(({ member }) => !member.hasJoined).map(({ name }) => name),
    troubles: () =>
      named.flatMap(({ name, member }) => member.troubles.map((reason) => `${name}: ${reason}`)),
    async stop() {
      await Promise.allSettled(members.map((member) => member.stop()))
      await Promise.allSettled([...sinks.values()].map((sink) => sink.close()))
      await enrich?.close()
    },
  }
}

async function openSinks(
  { config, kafka, log, clusterId, topics, codecs }: Runtime,
  roles: Roles,
): Promise<Map<string, LateSink>> {
  const sinks = new Map<string, LateSink>()
  const stream = `${clusterId}/${topics.messages}`
  try {
    for (const sinkConfig of config.sinks) {
      const { name } = sinkConfig
      if (!roles.sinks.has(name) || sinkTopic(sinkConfig) !== null) continue
      const context: SinkContext = {
        log,
        stream,
        messagesOf: messageReader(codecs.message, sinkConfig.where),
        placedMessagesOf: placedMessageReader(codecs.message, sinkConfig.where),
        codecParts: () => codecs.parts(),
        refuse: refusal({ kafka, log, codec: codecs.message, sink: name, deadTopic: topics.dead }),
        dataDir: config.dataDir,
      }
      const sink = new LateSink(sinkConfig, () => openSink(sinkConfig, context))
      sinks.set(name, sink)
      await sink.tryOpen((error) => {
        log.warn({ sink: name, reason: explain(error) }, 'the store is not there, waiting for it')
      })
    }
    return sinks
  } catch (error) {
    return closing(sinks)(error)
  }
}

/** Closes what is open before it says what went wrong. */
function closing(sinks: ReadonlyMap<string, Sink>): (error: unknown) => Promise<never> {
  return async (error) => {
    await Promise.allSettled([...sinks.values()].map((sink) => sink.close()))
    throw error
  }
}
