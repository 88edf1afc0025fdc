import { CallLog } from '../../src/ingest/call-log.ts'
import { silentLog } from '../../src/log.ts'

// A process that takes what it can get of a limit until it is refused for good: prints how many calls it was granted.
const [path = '', calls = '1', windowMs = '1000'] = process.argv.slice(2)
const log = new CallLog(path, silentLog)
const limit = { countedBy: 'app', calls: Number(calls), windowMs: Number(windowMs) }
let granted = 0
for (;;) {
  const permission = log.take(limit, { name: 'history', calls: limit.calls })
  if (permission.state === 'granted') granted++
  // A busy file is asked again at once; a limit that is used up is the end.
  else if (permission.ms > 1_000) break
}
log.close()
console.log(granted)
