import type { TestContext } from 'node:test'
import { ChatfeedError } from '../../../../src/errors.ts'
import { openSink } from '../../../../src/sinks/index.ts'
import type { OpensearchConfig } from '../../../../src/sinks/opensearch/config.ts'
import { exampleMessage } from '../../../contract/sink-suite.ts'
import { sinkContext } from '../../../support/sink-context.ts'
import { startSearchDouble } from '../../../support/stores/opensearch-double.ts'
import { documents, searchConfig } from '../../../support/stores/opensearch-store.ts'

/** A stand-in for a cluster and a sink that is not open yet. */
export async function arena(t: TestContext, keys: Partial<OpensearchConfig> = {}) {
  const double = await startSearchDouble(t)
  const config = searchConfig(t, double.url, keys)
  const refused: string[] = []
  return {
    double,
    config,
    refused,
    open: async () => {
      const sink = await openSink(
        config,
        sinkContext('cluster/messages', {
          refuse: (_records, { id }, { code }) => {
            refused.push(`${id} ${code}`)
            return Promise.resolve()
          },
        }),
      )
      t.after(() => sink.close())
      return sink
    },
    /** `id revision index`, sorted; the index without the name of this test. */
    stored: async () =>
      (await documents(config))
        .map(({ _id, _version, _index }) => `${_id} ${_version} ${_index.replace(config.index, '')}`)
        .sort(),
  }
}

/** A message by a short id. */
export const message = (id: string, revision = 1, more: Parameters<typeof exampleMessage>[0] = {}) =>
  exampleMessage({ id, revision, ...more })

/** Waits for a ChatfeedError. */
export async function failureOf(work: Promise<unknown>): Promise<ChatfeedError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof ChatfeedError) return error
  throw new Error('That should have failed with a ChatfeedError.', { cause: error })
}
