import { lookup as resolveName, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import type { FileAccess } from '../providers/provider.ts'
import { isPublicAddress, plainAddress } from './addresses.ts'
import { AllowList } from './allow-list.ts'

/** `code` of the error of a name that leads to no address that may be connected to. */
export const addressRefused = 'ADDRESS_REFUSED'

/**
 * Which links may be followed: anybody can write one into a message, and chatfeed runs where much can be reached.
 * A link may lead to the source's own address, to its provider's file hosts and to `allowHosts`; each redirect is
 * judged anew. Connections go to public addresses, and further to
 * - what a source's own configured host is or resolves to, for the operator named it and chatfeed talks to it anyway;
 * - addresses and networks that `allowHosts` lists as such.
 * A name in `allowHosts` alone opens no private address: who runs its DNS is not the operator.
 */
export class Guard {
  readonly #allowed: AllowList
  /** Names of the sources' own hosts: which port and path of them is a file is told by `FileAccess.isOwn`. */
  readonly #own: ReadonlySet<string>
  readonly #providerHosts: ReadonlyMap<FileAccess, AllowList>

  constructor(allowHosts: readonly string[], accesses: readonly FileAccess[]) {
    this.#allowed = new AllowList(allowHosts)
    this.#own = new Set(accesses.map(({ ownHost }) => ownHost))
    this.#providerHosts = new Map(accesses.map((access) => [access, new AllowList(access.hosts)]))
  }

  /** The hosts that are allowed by their full name, with their ports. */
  get namedHosts(): string[] {
    const lists = [...this.#providerHosts.values(), this.#allowed]
    return [...new Set(lists.flatMap(({ hosts }) => hosts))]
  }

  /** Why a link of a source must not be followed, as a stable word; null for one that may. */
  refusal(url: URL, access: FileAccess | undefined): string | null {
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'scheme_refused'
    if (url.username !== '' || url.password !== '') return 'userinfo_refused'
    if (this.#allowed.has(url) || access?.isOwn(url)) return null
    return access && this.#providerHosts.get(access)?.has(url) ? null : 'host_refused'
  }

  /** Whether a host may be reached at an address. */
  permits(hostname: string, address: string): boolean {
    return isPublicAddress(address) || this.#own.has(hostname) || this.#allowed.hasAddress(address)
  }

  /** Whether what a link names as its host is an address that must not be connected to: no name is looked up then. */
  refusesLiteral({ hostname }: URL): boolean {
    const address = plainAddress(hostname)
    return address !== null && !this.permits(hostname, address)
  }

  /**
   * `dns.lookup`, without the addresses that must not be connected to: the connection goes to what was checked, so a
   * name that resolves otherwise the next moment is of no use.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    resolveName(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      const addresses = error ? [] : found.filter(({ address }) => this.permits(hostname, address))
      const [first] = addresses
      if (error) callback(error, [])
      else if (first === undefined)
        callback(
          Object.assign(new Error('The host has no address that is allowed.'), { code: addressRefused }),
          [],
        )
      else if (options.all) callback(null, addresses)
      else callback(null, first.address, first.family)
    })
  }
}
