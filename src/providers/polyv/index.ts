import type { Provider } from '../provider.ts'
import { polyvConfig, type PolyvConfig } from './config.ts'
import { polyvFileAccess } from './file-access.ts'
import { parseUnitName } from './hours.ts'
import { understand } from './message/message.ts'
import { identify } from './message/records.ts'
import { createSandbox } from './sandbox/index.ts'
import { readSaved } from './saved.ts'
import { PolyvSource } from './source.ts'

/** Polyv live rooms: the chat history of channels, asked hour by hour. */
export const polyv: Provider<PolyvConfig> = {
  name: 'polyv',
  config: polyvConfig,
  open: (config, context) => new PolyvSource(config, context),
  tenantOf: (config) => config.appId,
  startOf: (_config, unit) => parseUnitName(unit)?.startMs ?? null,
  // The service counts by the caller's address, for its whole domain (facts: Polyv Java SDK, limits).
  rateOf: (config) => ({
    countedBy: new URL(config.baseUrl).host,
    calls: config.ratePer10s,
    // Calls arrive less evenly than they are made: half a second of room.
    windowMs: 10_500,
  }),
  files: polyvFileAccess,
  identify: (payload) => identify(payload),
  understand,
  readSaved,
  sandbox: createSandbox,
}
