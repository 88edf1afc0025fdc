import type { Readable } from 'node:stream'
import type { Provider, Publish, SavedFileReading } from '../provider.ts'
import { easemobConfig, type EasemobConfig } from './config.ts'
import { EasemobFileAccess } from './file-access.ts'
import { HourReader } from './files/hour-file.ts'
import { understand } from './message/message.ts'
import { identify } from './message/identity.ts'
import { easemobSandbox } from './sandbox/index.ts'
import { EasemobFilesSource } from './files/source.ts'
import { parseHour } from './hours.ts'
import { EasemobPullSource } from './pull/source.ts'

/** Easemob: the history of one app a source, by hour files or by the retired pull interface. */
export const easemob: Provider<EasemobConfig> = {
  name: 'easemob',
  config: easemobConfig,
  open: (config, context) => {
    const tenant = tenantOf(config)
    return config.mode === 'pull'
      ? new EasemobPullSource(config, tenant, context)
      : new EasemobFilesSource(config, tenant, context)
  },
  tenantOf,
  startOf: ({ timeZone }, unit) => parseHour(unit, timeZone),
  rateOf: (config) => ({
    countedBy: `${new URL(config.baseUrl).host} ${tenantOf(config)}`,
    calls: config.ratePerMinute,
    // Calls arrive less evenly than they are made: a second of room.
    windowMs: 61_000,
  }),
  files: (config, context) => new EasemobFileAccess(config, context),
  identify,
  understand,
  readSaved,
  sandbox: easemobSandbox,
}

function tenantOf({ org, app }: EasemobConfig): string {
  return `${org}#${app}`
}

/** Throws ChatfeedError `damaged_file` for a file that is empty, cut short or a web page. */
async function readSaved(file: Readable, publish: Publish, signal: AbortSignal): Promise<SavedFileReading> {
  const reader = new HourReader(publish, signal)
  await reader.read(file)
  return reader.finish()
}
