/**
 * A process for crash.test.ts to kill: `crash-writer.ts PATH PARTITION` reads on from the stored position and writes
 * batches for ever; message n of a partition has offset n. Says `ready` once it writes.
 */
import { openSqliteSink } from '../../../../src/sinks/sqlite/sink.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'
import { messageSet } from '../../../support/message-set.ts'
import { sinkContext } from '../../../support/sink-context.ts'

const [path = '', partitionText = '0'] = process.argv.slice(2)
const partition = Number(partitionText)
const sink = await openSqliteSink({ name: 'search', type: 'sqlite', path }, sinkContext('cluster/messages'))
let offset = Number(await sink.position(partition))
for (;;) {
  const batch = Array.from({ length: 1 + (offset % 37) }, (_, n) =>
    exampleMessage({ id: `easemob:acme#helpdesk:${partition}-${offset + n}` }),
  )
  await sink.write(messageSet(partition, batch, offset + batch.length))
  if (offset === 0) process.stdout.write('ready\n')
  offset += batch.length
  // Two writers share the file only if each leaves it alone between its batches.
  await new Promise(setImmediate)
}
