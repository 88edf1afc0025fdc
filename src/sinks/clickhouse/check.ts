import { ChatfeedError } from '../../errors.ts'
import { fault, fine, type Finding } from '../../finding.ts'
import { ClickhouseClient } from './client.ts'
import type { ClickhouseConfig } from './config.ts'
import { isMade, tablesOf } from './tables.ts'

/** Whether the server can be reached and the tables are ours; reads only. */
export async function checkClickhouse(config: ClickhouseConfig): Promise<Finding[]> {
  const client = new ClickhouseClient(config)
  const { messages } = tablesOf(config)
  try {
    const [server] = await client.query<{ version: string }>('select version() as version')
    const answers = fine('server', `ClickHouse ${server?.version} answers at ${client.place}.`)
    if (!(await isMade(client, config))) {
      return [answers, fine('tables', `${messages} is not there yet, up makes it.`)]
    }
    const [counted] = await client.query<{ rows: string | number }>(
      `select count() as rows from ${messages} final`,
    )
    return [answers, fine('tables', `${messages} holds ${counted?.rows} messages.`)]
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    return [fault('server', error.message, error.mend ?? 'Choose another `url` for the sink.')]
  } finally {
    await client.close()
  }
}
