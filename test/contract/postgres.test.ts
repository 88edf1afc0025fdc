import { after } from 'node:test'
import { openSink, rewindSink, storedRevisions } from '../../src/sinks/index.ts'
import { startPostgres } from '../support/postgres.ts'
import { sinkContext } from '../support/sink-context.ts'
import { exampleMessage, sinkSuite, type StoredMessage } from './sink-suite.ts'

const server = await startPostgres({ after })
let schemas = 0

sinkSuite('postgres', (t) => {
  const schema = `Test "${schemas++}"` // a name that must be quoted
  const config = { name: 'warehouse', type: 'postgres', url: server.url, schema } as const
  return Promise.resolve({
    open: async (stream, options = {}) => {
      const sink = await openSink(
        { ...config, ...(options.where && { where: options.where }) },
        sinkContext(stream, options),
      )
      t.after(() => sink.close())
      return sink
    },
    rewind: (stream, to) => rewindSink(config, stream, to),
    revisions: () => storedRevisions(config),
    async stored() {
      const rows = await server.query<{ id: string } & StoredMessage>(
        `select id, revision, text from "${schema.replaceAll('"', '""')}".messages`,
      )
      return new Map(rows.map(({ id, revision, text }) => [id, { revision, text }]))
    },
    // A number beyond what jsonb can hold.
    poison: exampleMessage({ id: 'easemob:acme#helpdesk:poison', data: '{"n":1e200000}' }),
    outage: { begin: () => server.stop(), end: () => server.start() },
  })
})
