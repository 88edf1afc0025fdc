import { hostname } from 'node:os'
import { runFirstOfEachKey } from './stage.ts'

// A process that runs the stage of the test until its standard input ends: brokers, group, input, output and,
// if it is not the usual one, its session in milliseconds are its arguments. Prints a line whenever it has taken records in.
const [brokers = '', groupId = '', input = '', output = '', sessionMs] = process.argv.slice(2)
const member = runFirstOfEachKey(
  {
    kafka: { brokers: brokers.split(','), clientId: `chatfeed-test@${hostname()}:${process.pid}` },
    groupId,
    inputs: [input],
    output,
    ...(sessionMs !== undefined && { sessionTimeoutMs: Number(sessionMs) }),
  },
  { onProcess: (partition, records) => process.stdout.write(`${partition} ${records}\n`) },
)
process.stdin.resume().once('end', () => {
  void member.stop()
})
await member.done
