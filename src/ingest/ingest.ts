import { setMaxListeners } from 'node:events'
import type { Codecs } from '../codecs.ts'
import { ChatfeedError } from '../errors.ts'
import { Connection } from '../kafka/connection.ts'
import { GroupMember } from '../kafka/group.ts'
import type { Pulse } from '../kafka/watchdog.ts'
import type { KafkaConnection } from '../kafka/wire.ts'
import type { Logger } from '../log.ts'
import type { Provider, Publish, RawRecord, Source } from '../providers/provider.ts'
import { Ledger, ledgerPartition } from './ledger.ts'
import { LentPublisher } from './lent-publisher.ts'
import { newPass, type PassSummary, runSource, type SourceStatus } from './source-loop.ts'
import { type Alive, SourceWatch } from './source-watch.ts'
import { pollUnread } from './unread-loop.ts'

/** A configured source and how to open it. */
export interface IngestSource {
  name: string
  provider: Provider
  /** `onCall` hears of every call that the source makes. */
  open: (lane: 'history', onCall: () => void) => Source
}

/** What a source came to: what was read, and the error that ended it early. */
export interface SourceEnd extends PassSummary {
  error: ChatfeedError | null
}

/** What the sources of a process need. */
export interface IngestOptions {
  kafka: KafkaConnection
  log: Logger
  codecs: Codecs
  groupId: string
  ledgerTopic: string
  rawTopic: (provider: string) => string
  unreadTopic: string
  sources: readonly IngestSource[]
  /** Every due unit once, then rest. */
  once: boolean
  /** Null when the source has left this process. */
  onStatus: (source: string, status: SourceStatus | null) => void
  /** A source ended: its pass in a `once` run, or an error that only concerns this source. */
  onEnd: (source: string, end: SourceEnd) => void
  now?: () => number
}

/** Between two signs of life of a source: a call, a record, a turn of its loop. A low rate makes long waits of them. */
const stallMs = 1_800_000

/**
 * Runs the sources. A source lives in the ledger partition of its name; the group shares the partitions, so the
 * sources move to another process when one dies, and its ledger with them.
 */
export function runIngest(options: IngestOptions): GroupMember {
  const { kafka, log, groupId, ledgerTopic } = options
  return new GroupMember({
    kafka,
    log,
    groupId,
    topics: [ledgerTopic],
    stallMs,
    work: (partition, signal, pulse) => runPartition(options, partition, signal, pulse),
  })
}

async function runPartition(
  options: IngestOptions,
  partition: number,
  signal: AbortSignal,
  pulse: Pulse,
): Promise<void> {
  const { kafka, log, codecs, groupId, ledgerTopic } = options
  const connection = new Connection(kafka, log)
  const watch = new SourceWatch(pulse, stallMs)
  try {
    await connection.know([ledgerTopic], { signal })
    const partitions = connection.partitions(ledgerTopic)
    const mine = options.sources.filter(({ name }) => ledgerPartition(name, partitions) === partition)
    if (mine.length === 0) return
    const ledger = await Ledger.open(
      connection,
      codecs,
      ledgerTopic,
      partition,
      `${groupId}-${partition}`,
      signal,
    )
    // When one has to begin anew, all do: no source may be read twice at a time.
    const anew = new AbortController()
    const either = AbortSignal.any([signal, anew.signal])
    // Every source that waits listens to it.
    setMaxListeners(0, either)
    const begin = (source: IngestSource) =>
      watch
        .during(source.name, (alive) => ingestSource(options, source, ledger, alive, either))
        .catch((error: unknown) => {
          anew.abort(error)
        })
    await Promise.race([Promise.all(mine.map(begin)), watch.hung])
    anew.signal.throwIfAborted()
  } finally {
    watch.close()
    await connection.close()
  }
}

async function ingestSource(
  options: IngestOptions,
  { name, provider, open }: IngestSource,
  ledger: Ledger,
  alive: Alive,
  signal: AbortSignal,
): Promise<void> {
  const { now = Date.now } = options
  const source = open('history', alive)
  const stopping = new AbortController()
  const either = AbortSignal.any([signal, stopping.signal])
  const unread = pollUnread(options, source, either)
  const publisher = new LentPublisher({
    kafka: options.kafka,
    log: options.log,
    codecs: options.codecs,
    topic: options.rawTopic(provider.name),
    provider: provider.name,
    source: name,
    tenant: source.tenant,
    signal,
  })
  const summary = newPass()
  try {
    await runSource(
      {
        source,
        log: options.log,
        signal,
        now,
        entries: () => ledger.entries(name),
        catchUp: () => ledger.catchUp(signal),
        catchUpNow: () => ledger.catchUpNow(signal),
        record: (entry) => ledger.put(entry),
        remember: (entry) => {
          ledger.remember(entry)
        },
        publishing: (unit, read) => publisher.lend(unit, now(), (publish) => read(beating(publish, alive))),
        onStatus: (status) => {
          options.onStatus(name, status)
        },
        alive,
      },
      options.once,
      summary,
    )
    if (options.once) {
      await unread
      options.onEnd(name, { ...summary, error: null })
    }
  } catch (error) {
    // What concerns this source alone must not stop the others; a lost ledger, Kafka's refusal or a bug must.
    if (!(error instanceof ChatfeedError) || error.code === 'ledger_lost' || isOfKafka(error)) throw error
    options.log.error({ source: name, code: error.code }, error.message)
    options.onEnd(name, { ...summary, error })
  } finally {
    stopping.abort()
    if (signal.aborted) options.onStatus(name, null)
    await unread
    await publisher.close()
    await source.close()
  }
}

/** Every record is a sign of life: an hour may take hours. */
function beating(publish: Publish, alive: Alive): Publish {
  const beat = (record: RawRecord) => {
    alive()
    return publish(record)
  }
  return Object.assign(beat, publish.flush ? { flush: publish.flush } : {})
}

const isOfKafka = ({ code }: ChatfeedError): boolean => code.startsWith('kafka_') || code === 'no_topic'
