import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse, stringify } from 'yaml'
import { Authority } from '../support/certificates.ts'
import { runChatfeed, runCommandLines, temporaryFolder } from '../support/chatfeed.ts'
import { startCluster } from '../support/cluster.ts'
import { startScene } from '../support/scene.ts'

const password = 'Tulip-9-lantern'
const module = 'org.apache.kafka.common.security'

test('Kafka with TLS and SASL carries everything; what is wrong with either is told in one line', async (t) => {
  const folder = temporaryFolder(t)
  const authority = new Authority(folder, 'authority')
  const server = authority.sign('server')
  const client = authority.sign('client')
  const stranger = new Authority(folder, 'stranger')
  const keystore = join(folder, 'keystore.pem')
  writeFileSync(keystore, server.key + server.cert)
  const cluster = await startCluster(t, {
    listeners: { SECURE: 'SASL_SSL', MUTUAL: 'SSL' },
    scram: [`SCRAM-SHA-512=[name=app,password=${password}]`],
    settings: {
      'ssl.keystore.type': 'PEM',
      'ssl.keystore.location': keystore,
      'ssl.truststore.type': 'PEM',
      'ssl.truststore.location': join(folder, 'authority.pem'),
      'listener.name.mutual.ssl.client.auth': 'required',
      'listener.name.secure.sasl.enabled.mechanisms': 'SCRAM-SHA-512,PLAIN',
      'listener.name.secure.scram-sha-512.sasl.jaas.config': `${module}.scram.ScramLoginModule required;`,
      'listener.name.secure.plain.sasl.jaas.config': `${module}.plain.PlainLoginModule required user_app="${password}";`,
    },
  })
  const { SECURE: secure = '', MUTUAL: mutual = '' } = cluster.listeners
  const scene = await startScene(t, { since: '3h', brokers: [secure] })
  const written = parse(readFileSync(join(scene.folder, 'chatfeed.yaml'), 'utf8')) as { kafka: object }
  const write = (name: string, kafka: object) => {
    writeFileSync(join(scene.folder, name), stringify({ ...written, kafka: { ...written.kafka, ...kafka } }))
    return name
  }
  const { ca } = authority
  const sasl = { mechanism: 'scram-sha-512', username: 'app', password }
  write('chatfeed.yaml', { tls: { ca }, sasl })
  const up = await runChatfeed(t, ['up', '--once'], { cwd: scene.folder })
  assert.equal(up.status, 0, up.stderr)

  const lines = {
    audit: 'chatfeed.yaml',
    check: 'chatfeed.yaml',
    plain: write('plain.yaml', { tls: { ca }, sasl: { ...sasl, mechanism: 'plain' } }),
    mutual: write('mutual.yaml', { brokers: [mutual], tls: { ca, ...client } }),
    wrong: write('wrong.yaml', { tls: { ca }, sasl: { ...sasl, password: 'Poppy-1-anchor' } }),
    untrusted: write('untrusted.yaml', { tls: { ca: stranger.ca }, sasl }),
    nameless: write('nameless.yaml', { brokers: [mutual], tls: { ca } }),
  }
  const commands = Object.entries(lines).map(([name, file]) => [
    ['audit', 'check'].includes(name) ? name : 'status',
    '--config',
    file,
  ])
  const results = await runCommandLines(t, commands, scene.folder)
  const [audit, check, plain, withCertificate, ...faults] = results
  for (const result of [audit, check, plain, withCertificate])
    assert.equal(result?.status, 0, `${result?.stdout}${result?.stderr}`)
  const [wrong, untrusted, nameless] = faults
  assert.match(wrong?.stderr ?? '', /^chatfeed: Kafka refused the credentials: .*Check kafka\.sasl/m)
  assert.match(
    untrusted?.stderr ?? '',
    /^chatfeed: The certificate of Kafka is not to be trusted .*kafka\.tls\.ca/m,
  )
  assert.match(
    nameless?.stderr ?? '',
    /^chatfeed: Kafka does not take the certificate of this client .*kafka\.tls\.cert/m,
  )
  for (const fault of [wrong, untrusted, nameless]) {
    assert.equal(fault?.status, 1)
    assert.doesNotMatch(fault.stderr, /\n {4}at |lantern|anchor/)
    assert.equal(
      fault.stderr
        .trim()
        .split('\n')
        .filter((line) => !line.startsWith('waiting')).length,
      1,
      fault.stderr,
    )
  }
})
