import { createServer } from 'node:net'
import type { Config } from '../../config/config.ts'
import { fine, type Finding, warning } from '../../finding.ts'
import { checkFolder } from '../../folder.ts'

/** This machine: the data directory, room on its disk, the port of metrics and health. */
export async function checkMachine(config: Config): Promise<Finding[]> {
  return [checkFolder('dataDir', config.dataDir), await checkPort(config.http)]
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
