import { BlockList, isIPv4, isIPv6 } from 'node:net'

/**
 * Networks in which no file of a stranger's link lies: this machine, private and shared networks, the services that
 * tell a machine of a cloud its secrets, documentation, multicast, and what tunnels to any of them (IANA registries
 * of special-purpose addresses; 168.63.129.16 is Azure's, 100.100.100.200 lies in 100.64/10).
 */
const closed = blockList([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
])

/** Everything else in IPv6 is reserved, local, mapped or translated. */
const globalUnicast = blockList(['2000::/3'])

/** Whether an address belongs to the public internet; false for what is no address. */
export function isPublicAddress(text: string): boolean {
  const address = plainAddress(text)
  if (address === null) return false
  return isIPv4(address)
    ? !closed.check(address, 'ipv4')
    : globalUnicast.check(address, 'ipv6') && !closed.check(address, 'ipv6')
}

/** Networks as a set of addresses; each `ADDRESS/BITS` or one address. Throws on what is neither. */
export function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family)
  }
  return list
}

/** Whether an address, in whichever spelling, lies in one of the networks. */
export function isListed(list: BlockList, text: string): boolean {
  const address = plainAddress(text)
  return address !== null && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
}

/** An address in its plain form, an IPv4 address that is written as IPv6 as what it is; null for no address. */
export function plainAddress(text: string): string | null {
  const address = text.replace(/^\[(.*)\]$/, '$1').replace(/%.*$/, '')
  if (isIPv4(address)) return address
  if (!isIPv6(address)) return null
  const [, high, low] =
    /^\[::ffff:([\da-f]+):([\da-f]+)\]$/.exec(new URL(`http://[${address}]`).hostname) ?? []
  if (high === undefined || low === undefined) return address
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [a >> 8, a & 0xff, b >> 8, b & 0xff].join('.')
}
