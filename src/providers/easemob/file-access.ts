import type { AuthorizedFile, FileAccess, SourceContext } from '../provider.ts'
import type { EasemobConfig } from './config.ts'
import { Rest } from './rest/http.ts'
import { AppToken } from './rest/token.ts'

/** The download host of a cluster by its REST host (facts: Easemob docs, hosts of the clusters). */
const downloadHosts = new Map([
  ['a1.easemob.com', 'a1-chatfile.easemob.com'],
  ['ngi-a1.easemob.com', 'ngi-chatfile.easemob.com'],
])
const secretName = 'share-secret'

/**
 * Files of an Easemob app: a link opens with its share-secret alone, or where the app is set so, with the app's token,
 * which goes to the app's own host and the download host of its cluster, for chat files of the app and nothing else:
 * a forged link to another part of the interface must not be read with our rights (facts: Easemob docs, chatfiles).
 */
export class EasemobFileAccess implements FileAccess {
  readonly hosts: readonly string[]
  readonly ownHost: string
  readonly rate: FileAccess['rate']
  readonly #config: EasemobConfig
  readonly #context: SourceContext
  readonly #origins: readonly string[]
  readonly #path: string
  #token: { rest: Rest; app: AppToken } | null = null

  constructor(config: EasemobConfig, context: SourceContext) {
    const { origin, protocol, hostname, host, pathname } = new URL(config.baseUrl)
    const { org, app } = config
    const downloads = downloadHosts.get(host)
    const named = downloads === undefined ? [] : [downloads]
    this.hosts = [...named, '*.easemob.com', '*.easecdn.com', '*.chat.agora.io']
    this.#config = config
    this.#context = context
    this.#origins = [origin, ...(downloads === undefined ? [] : [`${protocol}//${downloads}`])]
    this.#path = `${pathname.replace(/\/$/, '')}/${org}/${app}/chatfiles/`
    this.ownHost = hostname
    // 100 calls a second (facts: Easemob docs); calls arrive less evenly than they are made.
    this.rate = { countedBy: `${host} ${org}#${app} chatfiles`, calls: 100, windowMs: 1_100 }
  }

  isOwn(url: URL): boolean {
    return url.origin === this.#origins[0] && this.#isFile(url)
  }

  mayAuthorize(url: URL): boolean {
    return this.#origins.includes(url.origin) && this.#isFile(url)
  }

  async authorize(link: URL, signal: AbortSignal): Promise<AuthorizedFile | null> {
    if (!this.mayAuthorize(link)) return null
    this.#token ??= this.#openToken()
    const { app } = this.#token
    const token = await app.get(signal)
    const url = new URL(link)
    const secret = url.searchParams.get(secretName)
    url.search = ''
    return {
      url,
      headers: {
        authorization: `Bearer ${token.text}`,
        ...(secret !== null && /^[\x21-\x7e]+$/.test(secret) && { [secretName]: secret }),
      },
      drop: () => {
        app.drop(token)
      },
    }
  }

  async close(): Promise<void> {
    this.#token?.app.close()
    await this.#token?.rest.close()
  }

  #isFile({ pathname }: URL): boolean {
    return pathname.startsWith(this.#path) && /^[\w-]+$/.test(pathname.slice(this.#path.length))
  }

  #openToken(): { rest: Rest; app: AppToken } {
    const { baseUrl, org, app } = this.#config
    const rest = new Rest(`${baseUrl}/${org}/${app}`, this.#context)
    return { rest, app: new AppToken(this.#config, rest, this.#context) }
  }
}
