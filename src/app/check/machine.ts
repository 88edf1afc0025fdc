import { createServer } from 'node:net'
import type { Config } from '../../config/config.ts'
import { fine, type Finding, warning } from '../../finding.ts'
import { checkFolder } from '../../folder.ts'
import type { Budgets } from '../budgets.ts'

/** This machine: the data directory, room on its disk, the port of metrics and health. */
export async function checkMachine(
  config: Config,
  { trouble }: Pick<Budgets, 'trouble'>,
): Promise<Finding[]> {
  const folder = checkFolder('dataDir', config.dataDir)
  return [folder, ...(trouble === null ? [] : [uncounted(trouble)]), await checkPort(config.http)]
}

function uncounted(reason: string): Finding {
  const text = `calls.db in dataDir is of no use (${reason}): limits and bans do not outlive a process.`
  return warning('calls', text, 'Delete the file, or give this user the right to write it.')
}

function checkPort({ host, port }: Config['http']): Promise<Finding> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => {
      const text = `Port ${port} of ${host} cannot be used (${error.code ?? error.message}).`
      const mend = 'If it is not chatfeed itself that listens there, choose another http.port, or 0.'
      resolve(warning('http', text, mend))
    })
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => {
        resolve(fine('http', `Metrics and health can be served on ${host}, port ${port || 'any free one'}.`))
      })
    })
  })
}
