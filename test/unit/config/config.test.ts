import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseDocument } from 'yaml'
import { ConfigError, configFile, configFrom, parseConfig, readConfig } from '../../../src/config/config.ts'
import type { Fault } from '../../../src/config/environment.ts'

const secret = 'Zebra!7-horse'

/** The example of the documentation without what this version refuses. */
const example = `
kafka:
  brokers: ["k1:9092", "k2:9092"]
  tls: true
  sasl: { mechanism: scram-sha-512, username: app, password: "\${KAFKA_PASSWORD}" }
  topicPrefix: "chatfeed."
  partitions: 6
  replicationFactor: 3
dataDir: .chatfeed
http: { host: 127.0.0.1, port: 8787 }
dedup: { window: 30d }
attachments: { mode: link }
sources:
  - name: support
    provider: easemob
    baseUrl: https://a1.easemob.com
    org: acme
    app: helpdesk
    clientId: \${EASEMOB_CLIENT_ID}
    clientSecret: \${EASEMOB_CLIENT_SECRET}
    mode: files
    timeZone: "+08:00"
    since: 72h
    settle: 1h
    lookAgain: [6h, 24h]
    retention: 72h
    ratePerMinute: 10
  - name: live
    provider: polyv
    baseUrl: https://api.polyv.net
    appId: \${POLYV_APP_ID}
    appSecret: \${POLYV_APP_SECRET}
    channels: ["2477096"]
    endpoint: v2-history
    statuses: [pass, censor]
    scopes: [public, extend]
    rooms: []
    since: 24h
    pollEvery: 15s
    lookAgain: [10m, 1h, 24h]
    ratePer10s: 200
sinks:
  - { name: search, type: sqlite, path: .chatfeed/messages.db }
`
const environment = {
  KAFKA_PASSWORD: secret,
  EASEMOB_CLIENT_ID: 'YXA6',
  EASEMOB_CLIENT_SECRET: secret,
  POLYV_APP_ID: 'f00',
  POLYV_APP_SECRET: secret,
}

/** The faults of a configuration that must have some. */
function faultsOf(text: string, variables: NodeJS.ProcessEnv = {}): Fault[] {
  try {
    parseConfig(text, 'chatfeed.yaml', variables)
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    return [...error.faults]
  }
  return assert.fail('the configuration was accepted')
}

const source = (more: string): string => `sources:
  - { name: a, provider: easemob, baseUrl: http://h, org: o, app: p, clientId: i, clientSecret: s, ${more} }`

test('the example of the documentation is accepted; durations are milliseconds then', () => {
  const config = parseConfig(example, 'chatfeed.yaml', environment)
  assert.equal(config.kafka.sasl?.password, secret)
  assert.equal(config.dedup.window, 30 * 24 * 3_600_000)
  assert.deepEqual(
    config.sources.map(({ name }) => name),
    ['support', 'live'],
  )
  assert.deepEqual((config.sources[0] as unknown as { lookAgain: number[] }).lookAgain, [
    6 * 3_600_000,
    24 * 3_600_000,
  ])
})

test('what may be left out has the documented defaults', () => {
  const config = parseConfig('sources: []')
  assert.deepEqual(config, {
    kafka: { topicPrefix: 'chatfeed.', partitions: 6 },
    dataDir: '.chatfeed',
    http: { host: '127.0.0.1', port: 8787 },
    dedup: { window: 30 * 24 * 3_600_000 },
    attachments: {
      mode: 'link',
      allowHosts: [],
      concurrency: 8,
      maxBytes: 50 * 2 ** 20,
      timeout: 30_000,
      retryAfter: 60_000,
    },
    sources: [],
    sinks: [{ name: 'search', type: 'sqlite', path: '.chatfeed/messages.db' }],
  })
  assert.deepEqual(parseConfig('sources: []\nsinks: []').sinks, [])
})

test('every fault is told at once, each with its path and what to do', () => {
  const faults = faultsOf(`
kafka: { brokers: [], partitions: 0 }
http: { port: 70000 }
dedup: { window: soon }
sources:
  - { name: a, provider: easemob, baseUrl: ftp://x, org: o, app: p, clientId: i }
  - { name: "bad name", provider: polyv, appId: i, appSecret: s, channels: [] }
  - { name: c, provider: slack }
sinks:
  - { name: search, type: kudu }
`)
  assert.deepEqual(
    faults.map(({ path }) => path),
    [
      'kafka.brokers',
      'kafka.partitions',
      'http.port',
      'dedup.window',
      'sources.0.baseUrl',
      'sources.0.clientSecret',
      'sources.1.name',
      'sources.1.channels',
      'sources.2.provider',
      'sinks.0.type',
    ],
  )
  for (const { path, message } of faults) assert.ok(message.length > 5, path)
  assert.match(faults.at(-2)?.message ?? '', /easemob or polyv/)
})

test('unknown keys are faults on every level', () => {
  const faults = faultsOf(
    `${source('sincee: 3d')}\nkafca: {}\nhttp: { hots: x }\nsinks: [{ name: s, type: sqlite, paht: x }]`,
  )
  assert.deepEqual(faults.map(({ path, message }) => `${path}: ${message.split(':')[0] ?? ''}`).sort(), [
    ': unknown key kafca',
    'http: unknown key hots',
    'sinks.0: unknown key paht',
    'sources.0: unknown key sincee',
  ])
})

test('a filter that names an unknown provider is refused', () => {
  const where = (provider: string) =>
    `sources: []\nsinks: [{ name: s, type: sqlite, where: { provider: ${provider} } }]`
  assert.deepEqual(faultsOf(where('easemop')), [
    { path: 'sinks.0.where.provider', message: 'choose from easemob, polyv' },
  ])
  assert.equal(faultsOf(where('[polyv, easemop]')).length, 1)
  assert.deepEqual(parseConfig(where('[polyv, easemob]')).sinks[0]?.where, { provider: ['polyv', 'easemob'] })
})

test('attachments: an archive needs its place, hosts and sizes their form', () => {
  const faultOf = (line: string) => faultsOf(`sources: []\nattachments: { ${line} }`)[0]
  assert.deepEqual(faultOf('mode: archive'), {
    path: 'attachments.archive',
    message: 'name the folder or s3://bucket/prefix that the files go to',
  })
  assert.match(faultOf('mode: download')?.message ?? '', /link, check or archive/)
  assert.match(faultOf('maxBytes: lots')?.message ?? '', /512KB/)
  for (const host of ['http://files.example.com', '*.com', 'a@b', '*', 'x:99999', '10.0.0.0/33'])
    assert.match(faultOf(`allowHosts: ["${host}"]`)?.message ?? '', /write a host/, host)
  const { attachments } = parseConfig(
    'sources: []\nattachments: { mode: archive, archive: files, maxBytes: 1.5KB, allowHosts: ["*.example.com", "10.0.0.0/8", "[::1]:8080"] }',
  )
  assert.deepEqual([attachments.maxBytes, attachments.allowHosts.length], [1_536, 3])
})

test('two sinks in one store are refused: each would take the other’s place for its own', () => {
  const sinks = (...entries: string[]) =>
    `sources: []\nsinks: [${entries.map((entry) => `{ ${entry} }`).join(', ')}]`
  const [fault] = faultsOf(
    sinks('name: a, type: sqlite', 'name: b, type: sqlite, path: ./x/../.chatfeed/messages.db'),
  )
  assert.deepEqual([fault?.path, fault?.message.includes('the sink a writes this store')], ['sinks.1', true])
  const lake = 'type: files, path: s3://chat/lake'
  assert.equal(faultsOf(sinks(`name: a, ${lake}`, `name: b, ${lake}`)).length, 1)
  const hook = 'type: webhook, url: "http://h"'
  assert.equal(parseConfig(sinks(`name: a, ${hook}`, `name: b, ${hook}`)).sinks.length, 2)
  const one = 'type: postgres, url: "postgres://h/d"'
  assert.equal(parseConfig(sinks(`name: a, ${one}`, `name: b, ${one}, schema: other`)).sinks.length, 2)
})

test('what the validator finds by itself is told as what to write instead', () => {
  const told = (line: string) => faultsOf(source(line))[0]?.message
  assert.equal(told('retention: 0'), 'write text, in quotes where it looks like a number: "72h", "12345"')
  assert.equal(told('lookAgain: 10m'), 'write a list, such as [a, b]')
  assert.equal(told('ratePerMinute: 0'), 'write at least 1')
  assert.equal(told('ratePerMinute: 100000'), 'write at most 6000')
  const polyv = (line: string) =>
    faultsOf(`sources: [{ name: a, provider: polyv, appId: i, appSecret: s, channels: ["1"], ${line} }]`)[0]
      ?.message
  assert.equal(polyv('scopes: []'), 'name at least one')
  assert.equal(polyv('scopes: [private]'), 'choose from public, extend')
})

test('two sources or two sinks of one name are refused', () => {
  const one = '{ name: a, provider: polyv, appId: i, appSecret: s, channels: ["1"] }'
  assert.deepEqual(faultsOf(`sources: [${one}, ${one}]`), [
    { path: 'sources', message: 'two sources have the same name' },
  ])
  const sink = '{ name: s, type: webhook, url: "http://h" }'
  assert.deepEqual(faultsOf(`sources: []\nsinks: [${sink}, ${sink}]`), [
    { path: 'sinks', message: 'two sinks have the same name' },
  ])
})

test('a text that is no YAML is refused with line and column', () => {
  const [fault] = faultsOf('sources:\n  - { name: a')
  assert.match(fault?.path ?? '', /^line \d+, column \d+$/)
  const [tab] = faultsOf('sources: []\nhttp:\n\tport: 1')
  assert.match(tab?.path ?? '', /^line 3, column \d+$/)
  assert.match(faultsOf('a: 1\na: 2')[0]?.message ?? '', /duplicate key/)
})

test('a secret that begins with an asterisk and has no quotes is a fault, not a crash', () => {
  const [fault] = faultsOf('sources:\n  - { name: a, clientSecret: *hunter2 }')
  assert.match(fault?.message ?? '', /\*/)
  assert.doesNotMatch(JSON.stringify(fault), /hunter2/)
})

test('an empty file is told what is missing', () => {
  assert.deepEqual(
    faultsOf('').map(({ path }) => path),
    ['sources'],
  )
})

test('no fault shows the value of a secret, whichever key holds it and whatever else is wrong', () => {
  const secrets = [
    ['kafka', 'sasl', 'password'],
    ['sources', 0, 'clientSecret'],
    ['sources', 0, 'clientId'],
    ['sources', 1, 'appSecret'],
    ['sources', 1, 'appId'],
  ]
  const breakages: [path: (string | number)[], value: unknown][][] = [
    [[['kafka', 'nope'], 1]],
    [[['sources', 0, 'provider'], secret]],
    [
      [['sources', 0, 'mode'], secret],
      [['sources', 0, 'since'], secret],
      [['sources', 0, 'baseUrl'], `http://u:${secret}@h`],
    ],
    [
      [['sources', 1, 'endpoint'], secret],
      [['sources', 1, 'channels'], [secret]],
      [['sources', 1, 'pollEvery'], secret],
    ],
    [
      [['kafka', 'brokers'], [`u:${secret}@k:1`]],
      [['kafka', 'tls'], secret],
    ],
  ]
  for (const breakage of breakages) {
    for (const path of secrets) {
      for (const value of [secret, [secret], { a: secret }, { [secret]: 1 }]) {
        const document = parseDocument(example)
        for (const [at, wrong] of [[path, value] as const, ...breakage]) document.setIn(at, wrong)
        assert.throws(
          () => parseConfig(document.toString(), 'chatfeed.yaml', environment),
          (error: Error) => error instanceof ConfigError && !error.message.includes('Zebra'),
        )
      }
    }
  }
})

test('a key that was written together with its value is named without the value', () => {
  const [fault] = faultsOf(`sources: []\nhttp: { password:${secret} }`)
  assert.match(fault?.message ?? '', /unknown key password/)
  assert.doesNotMatch(fault?.message ?? '', /Zebra/)
})

test('a file that cannot be read is named, with the reason', () => {
  assert.throws(() => readConfig('/nowhere/at/all.yaml'), {
    code: 'configuration',
    message: /\/nowhere\/at\/all\.yaml.*ENOENT/s,
  })
  assert.throws(() => readConfig(tmpdir()), { code: 'configuration', message: /EISDIR/ })
})

test('a file is read from where it lies; without one there is none', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'chatfeed-config-'))
  const before = process.cwd()
  t.after(() => {
    process.chdir(before)
    rmSync(folder, { recursive: true })
  })
  process.chdir(folder)
  assert.equal(configFile(undefined), null)
  writeFileSync('chatfeed.yaml', 'sources: []\ndataDir: here')
  assert.equal(configFile(undefined), 'chatfeed.yaml')
  assert.equal(configFile('other.yaml'), 'other.yaml')
  assert.equal(readConfig('chatfeed.yaml').dataDir, 'here')
})

test('a configuration made by the program is checked as well', () => {
  assert.equal(configFrom({ sources: [] }).dataDir, '.chatfeed')
  assert.throws(() => configFrom({ sources: [], nonsense: 1 }))
})
