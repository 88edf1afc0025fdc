import { tmpdir } from 'node:os'
import { silentLog } from '../../src/log.ts'
import { messageReader, placedMessageReader } from '../../src/sinks/messages.ts'
import type { Refuse, SinkContext } from '../../src/sinks/sink.ts'
import type { Where } from '../../src/sinks/where.ts'
import { codecs } from './codecs.ts'

/** How a sink under test is opened, beside its configuration. */
export interface OpenOptions {
  where?: Where
  /** Hears of refused messages; a refusal fails otherwise. */
  refuse?: Refuse
}

/** What a sink is opened with where no pipeline does it. */
export function sinkContext(
  stream: string,
  { where, refuse = refuseNothing }: OpenOptions = {},
): SinkContext {
  return {
    log: silentLog,
    stream,
    messagesOf: messageReader(codecs.message, where),
    placedMessagesOf: placedMessageReader(codecs.message, where),
    codecParts: () => codecs.parts(),
    refuse,
    dataDir: tmpdir(),
  }
}

const refuseNothing: Refuse = (_records, { id }, error) =>
  Promise.reject(new Error(`The sink refused ${id}.`, { cause: error }))
