import { Resolver } from '../../attachments/resolver.ts'
import type { Config } from '../../config/config.ts'
import { ChatfeedError } from '../../errors.ts'
import { fault, fine, type Finding, warning } from '../../finding.ts'
import { checkFolder } from '../../folder.ts'
import type { Logger } from '../../log.ts'
import { isS3, openObjectStore } from '../../object-store/index.ts'
import { sourceFiles, spoolFolder } from '../attachments.ts'
import type { Budgets } from '../budgets.ts'

const patienceMs = 8_000

/** Whether attachments can be asked for and kept as they are configured. Fetches and writes no file. */
export async function checkAttachments(config: Config, log: Logger, budgets: Budgets): Promise<Finding[]> {
  const { mode, archive } = config.attachments
  if (mode === 'link')
    return [fine('mode', 'Mode link: attachments are not asked for, links are carried on.')]
  const store = mode === 'archive' && archive !== undefined ? await checkStore(config, archive) : []
  return [...store, ...(await checkHosts(config, log, budgets))]
}

async function checkStore(config: Config, archive: string): Promise<Finding[]> {
  const spool = checkFolder('spool', spoolFolder(config))
  if (!isS3(archive)) return [spool, checkFolder('archive', archive)]
  try {
    const store = await openObjectStore(archive, config.attachments.s3)
    try {
      await store.size('sha256/check')
    } finally {
      await store.close()
    }
    return [spool, fine('archive', `${archive} answers.`)]
  } catch (error) {
    if (!(error instanceof ChatfeedError)) throw error
    const mend = error.mend ?? 'Check attachments.archive and attachments.s3.'
    return [spool, fault('archive', error.message, mend)]
  }
}

/** Suffixes and networks cannot be asked, and the sources' own addresses are looked at with them. */
async function checkHosts(config: Config, log: Logger, budgets: Budgets): Promise<Finding[]> {
  const { allowHosts, concurrency, maxBytes } = config.attachments
  const sources = new Map(
    config.sources.map((source) => [source.name, sourceFiles({ log, budgets }, source)]),
  )
  const resolver = new Resolver({ log, sources, allowHosts, concurrency, maxBytes })
  try {
    const hosts = await resolver.reach(AbortSignal.timeout(patienceMs))
    if (hosts.length === 0)
      return [fine('hosts', 'Attachments are asked for at the sources’ own addresses alone.')]
    return hosts.map(({ host, answers }) => (answers ? fine('hosts', `${host} answers.`) : silent(host)))
  } finally {
    await resolver.close()
  }
}

function silent(host: string): Finding {
  const text = `${host} does not answer: attachments there fail, and are tried again for 7 days.`
  const mend =
    'Check the network of this machine; a private address must be listed in attachments.allowHosts.'
  return warning('hosts', text, mend)
}
