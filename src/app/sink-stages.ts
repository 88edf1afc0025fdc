import { runStage } from '../kafka/task.ts'
import { sinkStageOf } from '../sinks/index.ts'
import { placedMessageReader } from '../sinks/messages.ts'
import type { SinkStage } from '../sinks/sink-type.ts'
import { sinkStage } from '../stages/names.ts'
import type { Roles } from './roles.ts'
import type { RunningRole } from './running-role.ts'
import type { Runtime } from './runtime.ts'

/** The sinks of this process that are stages within Kafka, by name, ready to run. Throws as `SinkType.stage` does. */
export async function openSinkStages(
  { codecs, config, kafka, log, topics }: Runtime,
  roles: Roles,
): Promise<Map<string, SinkStage>> {
  const { partitions, replicationFactor = null } = config.kafka
  const stages = new Map<string, SinkStage>()
  for (const sinkConfig of config.sinks) {
    if (!roles.sinks.has(sinkConfig.name)) continue
    const stage = await sinkStageOf(sinkConfig, {
      kafka,
      log,
      placedMessagesOf: placedMessageReader(codecs.message, sinkConfig.where),
      deadTopic: topics.dead,
      partitions,
      replicationFactor,
    })
    if (stage) stages.set(sinkConfig.name, stage)
  }
  return stages
}

/** Runs one of them. */
export function runSinkStage({ kafka, log, topics }: Runtime, name: string, stage: SinkStage): RunningRole {
  const groupId = topics.group(`sink.${name}`)
  const inputs = [topics.messages]
  return {
    name: sinkStage(name),
    groupId,
    inputs,
    member: runStage({ kafka, log, groupId, inputs, ...stage }),
  }
}
