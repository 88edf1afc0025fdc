import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kafkaVersion } from '../../../src/broker/jars.ts'
import { builtOnce } from '../cache.ts'
import type { Contender, Missing } from '../compare.ts'
import type { Context } from '../context.ts'
import { wordsOf } from '../machine.ts'
import { measure } from '../measure.ts'
import type { Filled } from '../filled-topics.ts'
import { verify } from '../verify.ts'

const sources = fileURLToPath(new URL('streams/', import.meta.url))

/** Kafka Streams with its durable store and its strongest promise, the version of the broker. */
export async function streams(context: Context): Promise<Contender<Filled> | Missing> {
  const name = `Kafka Streams ${kafkaVersion()}`
  const folder = await built(context)
  const java = /version "(\d+)/.exec(wordsOf('java', '-version') ?? '')?.[1] ?? 'unknown'
  if (folder === null) return { name, missing: 'install Maven and a JDK, 17 or newer' }
  return {
    name,
    remark: `exactly_once_v2, RocksDB, 2 threads, commits every 500 ms, Java ${java}; key = id, fingerprint read from chatfeed's Avro`,
    async prepare({ topic, expected }) {
      const broker = await context.broker()
      const output = await broker.topic('streams')
      const state = join(context.folder, output)
      const settings = {
        'application.id': output,
        'bootstrap.servers': broker.address,
        'processing.guarantee': 'exactly_once_v2',
        'num.stream.threads': 2,
        'state.dir': state,
        'replication.factor': 1,
        'auto.offset.reset': 'earliest',
        'producer.compression.type': 'lz4',
        // Half the default's cost: fewer transactions, fuller batches.
        'commit.interval.ms': 500,
        'producer.batch.size': 262_144,
        'max.poll.records': 5_000,
      }
      const pairs = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
      const classes = [join(folder, 'target/classes'), join(folder, 'target/jars/*')].join(':')
      const options = ['-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error']
      return {
        command: { words: ['java', ...options, '-cp', classes, 'Dedup', pairs.join(','), topic, output] },
        verify: () => verify(broker.address, output, expected),
        async clean() {
          await broker.clear(output)
          rmSync(state, { recursive: true, force: true })
        },
      }
    },
  }
}

/** The folder with the compiled class and the jars, filled once in the cache folder; null without Maven. */
async function built(context: Context): Promise<string | null> {
  if (wordsOf('mvn', '-v') === null) return null
  return builtOnce(sources, kafkaVersion(), async (cwd) => {
    context.say('building the Kafka Streams program (once)')
    const copyJars = [
      'dependency:copy-dependencies',
      '-DincludeScope=runtime',
      '-DoutputDirectory=target/jars',
    ]
    const goals = ['compile', ...copyJars]
    await measure({ words: ['mvn', '-B', '-q', `-Dkafka.version=${kafkaVersion()}`, ...goals], cwd })
  })
}
