import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { blockList, isListed, isPublicAddress, plainAddress } from '../../../src/attachments/addresses.ts'

const open = [
  '8.8.8.8',
  '1.1.1.1',
  '47.246.1.2',
  '172.15.255.255',
  '172.32.0.1',
  '100.63.255.255',
  '100.128.0.1',
]
const openToo = ['2606:4700:4700::1111', '2400:3200::1', '2a00:1450::1', '::ffff:8.8.8.8', '::ffff:808:808']
const closed = [
  ['this host', '0.0.0.0', '0.1.2.3', '::'],
  [
    'loopback',
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '0:0:0:0:0:ffff:7f00:1',
  ],
  ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12:3456::1'],
  ['link-local', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'febf::1'],
  [
    'secrets of a cloud',
    '169.254.169.254',
    'fd00:ec2::254',
    '100.100.100.200',
    '168.63.129.16',
    '192.0.0.192',
  ],
  ['shared', '100.64.0.1', '100.127.255.255'],
  [
    'documentation, benchmarks',
    '192.0.2.1',
    '198.51.100.1',
    '203.0.113.1',
    '198.18.0.1',
    '2001:db8::1',
    '3fff::1',
  ],
  ['multicast, reserved, broadcast', '224.0.0.1', '240.0.0.1', '255.255.255.255', 'ff02::1'],
  [
    'tunnels',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::1',
    '2002:7f00:1::',
    '2001:0:7f00:1::',
    '192.88.99.1',
  ],
  ['site-local, discard', 'fec0::1', '100::1', '5f00::1'],
  ['no address', '', 'localhost', '2130706433', '0x7f000001', '127.1', '1.2.3.4.5', '[', '::ffff:999.1.1.1'],
] as const

test('addresses of the public internet are public', () => {
  for (const address of [...open, ...openToo]) assert.equal(isPublicAddress(address), true, address)
})

for (const [what, ...addresses] of closed)
  test(`no public address: ${what}`, () => {
    for (const address of addresses) assert.equal(isPublicAddress(address), false, address)
  })

test('an IPv4 address is judged the same in each of its spellings as IPv6', () => {
  fc.assert(
    fc.property(fc.ipV4(), (address) => {
      const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
      const hex = `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
      for (const spelling of [`::ffff:${address}`, hex, `[${hex}]`, hex.toUpperCase()]) {
        assert.equal(plainAddress(spelling), address)
        assert.equal(isPublicAddress(spelling), isPublicAddress(address))
      }
    }),
  )
})

test('a listed network holds its addresses and no others', () => {
  const list = blockList(['10.1.2.0/24', '192.168.0.9', 'fd00::/8'])
  for (const inside of ['10.1.2.3', '::ffff:10.1.2.3', '192.168.0.9', 'fd12::1'])
    assert.ok(isListed(list, inside), inside)
  for (const outside of ['10.1.3.1', '192.168.0.8', 'fe80::1', 'name'])
    assert.ok(!isListed(list, outside), outside)
})
