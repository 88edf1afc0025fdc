import assert from 'node:assert/strict'
import { type LookupAddress } from 'node:dns'
import { test } from 'node:test'
import fc from 'fast-check'
import { entryFault } from '../../../src/attachments/allow-list.ts'
import { Guard } from '../../../src/attachments/guard.ts'
import { silentLog } from '../../../src/log.ts'
import { easemob } from '../../../src/providers/easemob/index.ts'
import { polyv } from '../../../src/providers/polyv/index.ts'
import type { FileAccess } from '../../../src/providers/provider.ts'

const context = {
  log: silentLog,
  budget: { take: () => Promise.resolve(), pause: () => undefined },
  countRequest: () => undefined,
  now: Date.now,
}
const account = { name: 's', provider: 'easemob', org: 'acme', app: 'help', clientId: 'i', clientSecret: 's' }
const easemobAt = (baseUrl: string): FileAccess =>
  easemob.files(easemob.config.parse({ ...account, baseUrl }), context)
const cloud = easemobAt('https://a1.easemob.com')
const local = easemobAt('http://127.0.0.1:8789')
const live = polyv.files(
  polyv.config.parse({ name: 'l', provider: 'polyv', appId: 'a', appSecret: 's', channels: ['1'] }),
  context,
)
const guard = new Guard(
  [
    'cdn.example.com',
    '*.files.example.org',
    'dav.example.net:8443',
    '10.1.2.0/24',
    '[fd00::1]:8080',
    'пример.рф',
  ],
  [cloud, local, live],
)

const judged = (link: string, access?: FileAccess): string | null => {
  if (!URL.canParse(link)) return 'no_link'
  const url = new URL(link)
  return guard.refusal(url, access) ?? (guard.refusesLiteral(url) ? 'address_refused' : null)
}

const followed: [link: string, access?: FileAccess][] = [
  ['https://a1.easemob.com/acme/help/chatfiles/5f0e2a10-aaaa', cloud],
  ['https://a1-chatfile.easemob.com/acme/help/chatfiles/x', cloud],
  ['http://127.0.0.1:8789/acme/help/chatfiles/5f0e2a10-aaaa?share-secret=s', local],
  ['https://liveimages.videocc.net/chat/a.png', live],
  ['https://CDN.example.com/x'],
  ['https://cdn.example.com./x'],
  ['https://cdn.example.com:443/x'],
  ['http://cdn.example.com/x'],
  ['https://a.b.files.example.org/x'],
  ['https://dav.example.net:8443/x'],
  ['http://10.1.2.3/x'],
  ['http://[::ffff:10.1.2.3]/x'],
  ['http://[fd00::1]:8080/x'],
  ['https://xn--e1afmkfd.xn--p1ai/x'],
]

test('links to the source, its provider and the hosts that are allowed are followed', () => {
  for (const [link, access] of followed) assert.equal(judged(link, access), null, link)
})

const forged: [link: string, access?: FileAccess][] = [
  // Other hosts, near ones among them.
  ['https://evil.example/x', cloud],
  ['https://a1.easemob.com.evil.example/x', cloud],
  ['https://evileasemob.com/x', cloud],
  ['https://easemob.com/x', cloud],
  ['https://liveimages.videocc.net/x', cloud],
  ['https://files.example.org/x'],
  ['https://xcdn.example.com/x'],
  ['https://аcdn.example.com/x'], // Cyrillic
  // Tricks with what stands before and behind the host.
  ['http://cdn.example.com@evil.example/x'],
  ['http://cdn.example.com:x@evil.example/x'],
  ['http://user@cdn.example.com/x'],
  ['http://evil.example#@cdn.example.com/x'],
  ['http://evil.example\\@cdn.example.com/x'],
  ['http://cdn.example.com%2eevil.example/x'],
  ['https://cdn.example.com:8080/x'],
  ['https://cdn.example.com:22/x'],
  ['https://dav.example.net/x'],
  ['https://a1.easemob.com:8443/acme/help/chatfiles/x', cloud],
  // Other schemes.
  ['file:///etc/passwd', local],
  ['ftp://cdn.example.com/x'],
  ['gopher://127.0.0.1:8789/x', local],
  ['data:text/html,x'],
  // This machine and its neighbours, by every spelling.
  ['http://127.0.0.1/x', local],
  ['http://127.0.0.1:8790/acme/help/chatfiles/x', local],
  ['https://127.0.0.1:8789/acme/help/chatfiles/x', local],
  ['http://127.0.0.1:8789/acme/help/users', local],
  ['http://127.0.0.1:8789/acme/help/chatfiles/../users', local],
  ['http://127.0.0.1:8789/acme/help/chatfiles/%2e%2e/users', local],
  ['http://127.0.0.1:8789/acme/help/chatfiles/x%2f..%2fusers', local],
  ['http://127.0.0.1:8789/other/app/chatfiles/x', local],
  ['http://127.0.0.1:8789/acme/help/chatfiles/', local],
  ['http://127.0.0.1:8789/acme/help/chatfiles/x', cloud],
  ['http://2130706433/x', cloud],
  ['http://0x7f.1/x', cloud],
  ['http://017700000001/x', cloud],
  ['http://127.1/x', cloud],
  ['http://①②⑦.0.0.1/x', cloud],
  ['http://0.0.0.0/x', cloud],
  ['http://[::1]/x', cloud],
  ['http://[::ffff:127.0.0.1]/x', cloud],
  ['http://[::ffff:7f00:1]/x', cloud],
  ['http://localhost/x', cloud],
  ['http://localhost:8789/acme/help/chatfiles/x', local],
  ['http://169.254.169.254/latest/meta-data/', cloud],
  ['http://[fd00:ec2::254]/x', cloud],
  ['http://100.100.100.200/x', cloud],
  ['http://10.1.3.1/x'],
  ['http://10.1.2.3:8080/x'],
  ['http://[fd00::1]/x'],
  ['http://8.8.8.8/x', cloud],
]

test('forged links are refused without asking anybody', () => {
  for (const [link, access] of forged) assert.notEqual(judged(link, access), null, link)
})

test('whatever stands in a link, only allowed hosts are followed', () => {
  const part = fc.stringMatching(/^[a-z0-9.@:\\/?#[\]%-]{0,12}$/)
  fc.assert(
    fc.property(part, part, part, (before, between, after) => {
      const link = `http://${before}cdn.example.com${between}127.0.0.1${after}`
      if (judged(link) !== null) return
      const { hostname, username } = new URL(link)
      assert.equal(username, '')
      assert.equal(hostname.replace(/\.$/, ''), 'cdn.example.com')
    }),
    { numRuns: 2_000 },
  )
})

test('a name in allowHosts opens no private address, a listed address and the own host do', () => {
  for (const [host, address, permitted] of [
    ['cdn.example.com', '8.8.8.8', true],
    ['cdn.example.com', '127.0.0.1', false],
    ['cdn.example.com', '169.254.169.254', false],
    ['cdn.example.com', '::ffff:192.168.0.1', false],
    ['cdn.example.com', '10.1.2.3', true],
    ['127.0.0.1', '127.0.0.1', true],
    ['localhost', '127.0.0.1', false],
  ] as const)
    assert.equal(guard.permits(host, address), permitted, `${host} at ${address}`)
})

test('names are resolved without the addresses that are refused', async () => {
  const looked = (of: Guard, options: { all: boolean }) =>
    new Promise<string | string[]>((resolve) => {
      of.lookup('localhost', options, (error, found: string | LookupAddress[]) => {
        const code = error?.code
        resolve(code ?? (Array.isArray(found) ? found.map(({ address }) => address) : found))
      })
    })
  assert.equal(await looked(new Guard(['localhost'], []), { all: true }), 'ADDRESS_REFUSED')
  assert.equal(await looked(new Guard(['localhost'], []), { all: false }), 'ADDRESS_REFUSED')
  assert.deepEqual(await looked(new Guard(['127.0.0.1'], []), { all: true }), ['127.0.0.1'])
  assert.equal(await looked(new Guard(['127.0.0.0/8'], []), { all: false }), '127.0.0.1')
})

test('entries of allowHosts are hosts, suffixes, addresses and networks, with a port', () => {
  const good = [
    'a.example',
    'localhost',
    '*.a.example',
    'a.example:8443',
    '10.0.0.1',
    '10.0.0.1:80',
    '::1',
    '[::1]:80',
  ]
  for (const text of [...good, '10.0.0.0/8', 'fd00::/8', 'ПРИМЕР.рф'])
    assert.equal(entryFault(text), null, text)
  const bad = [
    '',
    '*',
    '*.com',
    'a b',
    'http://a',
    'a/b',
    'a@b',
    'a:0',
    'a:70000',
    '10.0.0.0/33',
    '10.0.0.0/x',
    '**.a.b',
  ]
  for (const text of [...bad, '*.*.a.b', 'a*.b.c', '[a]:80', '?', 'a#b'])
    assert.notEqual(entryFault(text), null, text)
})
