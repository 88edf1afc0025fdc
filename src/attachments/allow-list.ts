import { type BlockList, isIPv4, isIPv6 } from 'node:net'
import { blockList, isListed, plainAddress } from './addresses.ts'

/** One entry of `allowHosts`, understood. */
interface Entry {
  /** The name itself, or what must follow a dot for `*.suffix`; null for addresses. */
  name: string | null
  isSuffix: boolean
  /** Null for names. */
  network: BlockList | null
  /** Null: the usual one of http or https. */
  port: number | null
}

/** Why a text is no entry of `allowHosts`; null for one that is. */
export function entryFault(text: string): string | null {
  return parseEntry(text) === null
    ? 'write a host (files.example.com), *.example.com, an address or network (10.1.2.0/24), with :port where it is not the usual one'
    : null
}

/**
 * The hosts that links may lead to: names, `*.suffix` (what lies below it, not itself), addresses and networks. A port
 * other than the scheme's own must be named. An address or a network that is listed stands for itself: names may also
 * lead there. Texts that are no entries are left out.
 */
export class AllowList {
  readonly #entries: Entry[]

  constructor(texts: readonly string[]) {
    this.#entries = texts.map(parseEntry).filter((entry) => entry !== null)
  }

  /** Whether the host and port of a link are listed. */
  has(url: URL): boolean {
    const address = plainAddress(url.hostname)
    const name = url.hostname.replace(/\.$/, '')
    return this.#entries.some((entry) => {
      if ((entry.port === null ? '' : String(entry.port)) !== url.port) return false
      if (address !== null) return entry.network !== null && isListed(entry.network, address)
      if (entry.name === null) return false
      return entry.isSuffix ? name.endsWith(`.${entry.name}`) : name === entry.name
    })
  }

  /** Whether an address is listed as one. */
  hasAddress(address: string): boolean {
    return this.#entries.some(({ network }) => network !== null && isListed(network, address))
  }

  /** The names that are listed as they are, with their ports, as `host` of a link. */
  get hosts(): string[] {
    return this.#entries.flatMap(({ name, isSuffix, port }) =>
      name === null || isSuffix ? [] : [port === null ? name : `${name}:${port}`],
    )
  }
}

function parseEntry(text: string): Entry | null {
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^\s\]@?#]+?))(?::(\d{1,5}))?$/.exec(text) ?? []
  const whole = isNetwork(text) ? text : null
  const port = whole !== null || portText === undefined ? null : Number(portText)
  if (port !== null && (port < 1 || port > 65_535)) return null
  const network = whole ?? bracketed ?? plain ?? ''
  const usual = port === 80 || port === 443 ? null : port
  if (isNetwork(network)) return { name: null, isSuffix: false, network: blockList([network]), port: usual }
  if (plain === undefined) return null
  const isSuffix = plain.startsWith('*.')
  const name = isSuffix ? plain.slice(2) : plain
  return isName(name, isSuffix) ? { name: asciiName(name), isSuffix, network: null, port: usual } : null
}

function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  if (more !== undefined || !(isIPv4(address) || isIPv6(address))) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (isIPv4(address) ? 32 : 128))
}

/** A suffix of one label would be a whole top-level domain. */
function isName(text: string, isSuffix: boolean): boolean {
  const name = asciiName(text)
  return /^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/.test(name) && (!isSuffix || name.includes('.'))
}

/** As a link shows it: lower case, other scripts as `xn--`; `''` for what no link can hold. */
function asciiName(text: string): string {
  return URL.canParse(`http://${text}/`) && !text.includes('/') ? new URL(`http://${text}/`).hostname : ''
}
