import { setTimeout as delay } from 'node:timers/promises'
import { Codecs, formerSchemas } from '../codecs.ts'
import type { Config } from '../config/config.ts'
import { isTransient } from '../errors.ts'
import type { Logger } from '../log.ts'
import { providers } from '../providers/index.ts'
import { LateSchemas } from '../registry/late-schemas.ts'
import { registerSchemas, type Subject } from '../registry/register.ts'
import { Registry } from '../registry/registry.ts'
import { type Topics, valueSchemas } from '../topics.ts'

/** As long as Kafka is waited for. */
const patienceMs = 60_000
const quietMs = 2_000

/** What codecs are opened for. */
export interface OpenCodecsOptions {
  config: Pick<Config, 'registry'>
  log: Logger
  topics: Topics
  onProgress?: ((text: string) => void) | undefined
  signal?: AbortSignal | undefined
}

/** The codecs of a process, and what they hold open. */
export interface OpenedCodecs {
  codecs: Codecs
  close(): Promise<void>
}

/** The subjects of our topics: that of their values, as Confluent's clients name it. */
export function subjectsOf(topics: Topics): Subject[] {
  const names = providers.map(({ name }) => name)
  return valueSchemas(topics, names).map(([topic, schema]) => ({ subject: `${topic}-value`, schema }))
}

/**
 * The codecs that the configuration asks for. With a registry the schemas are agreed on with it before any value is
 * written; one that cannot answer yet is waited for. Throws ChatfeedError.
 */
export async function openCodecs(options: OpenCodecsOptions): Promise<OpenedCodecs> {
  const { config, log, topics } = options
  if (!config.registry) return { codecs: new Codecs(), close: () => Promise.resolve() }
  const { register } = config.registry
  const registry = new Registry(config.registry)
  try {
    const { ids, known } = await patiently(registry, options, (signal) =>
      registerSchemas(registry, subjectsOf(topics), register, signal),
    )
    log.debug({ registry: registry.url, ids }, 'schemas agreed on')
    const late = new LateSchemas(registry, (id, text) => {
      codecs.learn(id, text)
      log.info({ schema: id }, 'a schema that was registered since the start is known now')
    })
    const codecs = new Codecs({ ids, known, former: formerSchemas() }, (id) => late.refuse(id))
    return {
      codecs,
      async close() {
        late.close()
        await registry.close()
      },
    }
  } catch (error) {
    await registry.close()
    throw error
  }
}

/** Tries until it succeeds; throws ChatfeedError: `fatal` at once, `transient` when patience is over. */
async function patiently<T>(
  { url }: Registry,
  { log, onProgress, signal = new AbortController().signal }: OpenCodecsOptions,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = Date.now() + patienceMs
  const patience = setTimeout(() => onProgress?.(`waiting for the schema registry at ${url}…`), quietMs)
  try {
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 2, 2_000)) {
      try {
        return await call(signal)
      } catch (error) {
        if (!isTransient(error) || Date.now() > deadline || signal.aborted) throw error
        log.debug({ code: error.code }, 'the registry will be asked again')
        await delay(Math.max(waitMs, error.retryAfterMs ?? 0), undefined, { signal })
      }
    }
  } finally {
    clearTimeout(patience)
  }
}
