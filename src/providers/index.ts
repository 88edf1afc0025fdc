import { easemob } from './easemob/index.ts'
import { polyv } from './polyv/index.ts'
import type { Provider } from './provider.ts'

/** The providers of this version: one folder and one line here each. */
export const providers: readonly Provider[] = [easemob, polyv]

/** The same by their names. */
export const providersByName: ReadonlyMap<string, Provider> = new Map(
  providers.map((provider) => [provider.name, provider]),
)
