import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtOnce } from '../cache.ts'
import type { Contender, Missing } from '../compare.ts'
import type { Context } from '../context.ts'
import type { HourFile } from '../data.ts'
import { wordsOf } from '../machine.ts'
import { measure } from '../measure.ts'
import { verify } from '../verify.ts'

const sources = fileURLToPath(new URL('bento/', import.meta.url))
const schema = fileURLToPath(new URL('envelope.avsc', import.meta.url))

/** Bento, the free engine that Redpanda Connect grew from; not Redpanda Connect, whose figures are its own. */
export async function bento(context: Context): Promise<Contender<HourFile> | Missing> {
  const name = 'Bento 1.8.2'
  const program = await built(context)
  if (program === null) return { name, missing: 'install Go 1.24 or newer, it is built from a module then' }
  return {
    name,
    remark: 'at least once; parses every line, Avro without fingerprint; batches of 100, GOGC=400',
    async prepare(file) {
      const broker = await context.broker()
      const topic = await broker.topic('bento')
      const env = {
        // Fewer collections: memory is not what is compared.
        GOGC: '400',
        BENCH_FILE: file.path,
        BENCH_BROKER: broker.address,
        BENCH_TOPIC: topic,
        BENCH_SCHEMA: schema,
      }
      return {
        command: { words: [program, '-c', join(sources, 'ingest.yaml')], env },
        verify: () => verify(broker.address, topic, file.counts),
        clean: () => broker.clear(topic),
      }
    },
  }
}

/** The program, built once into the cache folder; null without Go. */
async function built(context: Context): Promise<string | null> {
  if (wordsOf('go', 'version') === null) return null
  const folder = await builtOnce(sources, '', async (cwd) => {
    context.say('building Bento (once, some minutes)')
    // Tidy adds the modules that it brings to the copy.
    await measure({ words: ['go', 'mod', 'tidy'], cwd })
    await measure({ words: ['go', 'build', '-o', 'bento', '.'], cwd })
  })
  return join(folder, 'bento')
}
