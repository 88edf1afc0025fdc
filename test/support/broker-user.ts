import { useEmbeddedBroker } from '../../src/broker/index.ts'
import { silentLog } from '../../src/log.ts'

// A process that uses the broker of the directory given as its argument: prints the broker's pid as soon as it
// serves, and releases it when its standard input ends.
const broker = await useEmbeddedBroker({ dataDir: process.argv[2] ?? '', log: silentLog })
console.log(broker.pid)
process.stdin.resume().once('end', () => {
  void broker.release()
})
