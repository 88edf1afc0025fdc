import type { Contender, Missing } from '../compare.ts'
import type { Context } from '../context.ts'
import type { HourFile } from '../data.ts'
import { wordsOf } from '../machine.ts'
import { verify } from '../verify.ts'

const pipe =
  'zcat "$1" | kcat -P -b "$2" -t "$3" -z lz4 -X enable.idempotence=true -X acks=all -X linger.ms=20'

/** `zcat FILE | kcat`: librdkafka at its best, on lines that it neither reads nor wraps. */
export function kcat(context: Context): Contender<HourFile> | Missing {
  const version = /Version (\S+).*librdkafka (\S+)/.exec(wordsOf('kcat', '-V') ?? '')
  if (!version) return { name: 'kcat', missing: 'apt install kcat' }
  return {
    name: `kcat ${version[1]}`,
    remark: `zcat FILE | kcat, librdkafka ${version[2]}; bare lines: no parsing, no id, no Avro`,
    async prepare(file) {
      const broker = await context.broker()
      const topic = await broker.topic('kcat')
      return {
        command: {
          words: ['bash', '-o', 'pipefail', '-c', pipe, 'bash', file.path, broker.address, topic],
        },
        verify: () => verify(broker.address, topic, file.counts, 'line'),
        clean: () => broker.clear(topic),
      }
    },
  }
}
