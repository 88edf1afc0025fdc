/**
 * A process for store-thread.test.ts that ends in the middle of a write: `exit-writer.ts PATH MS` writes large batches,
 * and ends with status 7 so many milliseconds after the first.
 */
import { openSqliteSink } from '../../../../src/sinks/sqlite/sink.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'
import { messageSet } from '../../../support/message-set.ts'
import { sinkContext } from '../../../support/sink-context.ts'

const [path = '', ms = '0'] = process.argv.slice(2)
const sink = await openSqliteSink({ name: 'search', type: 'sqlite', path }, sinkContext('cluster/messages'))
const texts = ['我想申请退款，需要提供什么材料', 'Hi, how long does delivery take?', '会员积分怎么兑换？']
const batches = Array.from({ length: 6 }, (_, n) =>
  messageSet(
    n,
    Array.from({ length: 500 }, (_, at) =>
      exampleMessage({ id: `easemob:acme#helpdesk:${n}-${at}`, text: texts[at % texts.length]! }),
    ),
    500,
  ),
)
const round = () => Promise.all(batches.map((batch) => sink.write(batch)))
await round()
setTimeout(() => process.exit(7), Number(ms))
for (;;) await round()
