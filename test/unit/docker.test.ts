import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { parseRoles } from '../../src/app/roles.ts'
import { kafkaVersion } from '../../src/broker/jars.ts'
import { readConfig } from '../../src/config/config.ts'
import { providers } from '../../src/providers/index.ts'

interface Service {
  image: string
  command?: string[]
  profiles?: string[]
  volumes?: string[]
  environment?: Record<string, string>
}

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const compose = parse(read('docker-compose.yml'), { merge: true }) as { services: Record<string, Service> }
const config = readConfig(new URL('docker/chatfeed.yaml', root).pathname)
const ours = Object.values(compose.services).filter(({ image }) => image === 'chatfeed')

/** The value behind an option of a command line. */
function valueOf(command: readonly string[] | undefined, option: string): string | undefined {
  const at = command?.indexOf(option) ?? -1
  return at < 0 ? undefined : command?.[at + 1]
}

test('the services that every composition has run every role once', () => {
  const always = ours.filter(({ profiles }) => !profiles)
  const roles = always.flatMap(({ command }) => valueOf(command, '--only') ?? [])
  assert.deepEqual(roles.toSorted(), ['dedup', 'enrich', 'ingest', 'sink'])
  const all = parseRoles(roles.join(','), config)
  assert.deepEqual(all, parseRoles(undefined, config))
})

test('the services use commands and options that chatfeed has', async () => {
  for (const command of new Map(ours.map(({ command = [] }) => [command[0], command])).values()) {
    const [name = '', ...rest] = command
    const main = new URL('src/main.ts', root).pathname
    const { stdout } = await promisify(execFile)('node', ['--import', 'tsx', main, name, '--help'])
    assert.match(stdout, new RegExp(`Usage: chatfeed ${name} `))
    for (const option of rest.filter((word) => word.startsWith('--')))
      assert.ok(stdout.includes(`${option} <`))
  }
})

test('the configuration reads the simulated providers of the service sandbox', () => {
  const command = compose.services['sandbox']?.command
  assert.equal(valueOf(command, '--host'), '0.0.0.0')
  const written = parse(read('docker/chatfeed.yaml')) as { sources: Record<string, unknown>[] }
  const firstPort = Number(valueOf(command, '--port'))
  for (const [index, provider] of providers.entries()) {
    const sandbox = provider.sandbox({ seed: 1, messagesPerHour: 1, now: Date.now })
    const served = sandbox.sourceConfig(`http://sandbox:${firstPort + index}`)
    const source = written.sources.find((entry) => entry['provider'] === provider.name)
    for (const key of ['baseUrl', 'org', 'app', 'clientId', 'clientSecret', 'appId', 'appSecret', 'channels'])
      assert.deepEqual(source?.[key], served[key], `${provider.name} ${key}`)
  }
})

/** The configuration file that a service mounts. */
const mounted = ({ volumes = [] }: Service): string | undefined =>
  volumes.map((volume) => volume.split(':')).find(([, to]) => to === '/srv/chatfeed/chatfeed.yaml')?.[0]

test('the sinks of a profile write to services of that profile, by groups of their own', () => {
  const names = new Set(config.sinks.map(({ name }) => name))
  const chosen = ours.filter(({ profiles }) => profiles)
  assert.ok(chosen.length > 0)
  for (const service of chosen) {
    const { sinks, sources, kafka } = readConfig(new URL(mounted(service) ?? '', root).pathname)
    assert.deepEqual([sources, kafka.brokers], [[], config.kafka.brokers])
    assert.equal(valueOf(service.command, '--only'), 'sink')
    for (const sink of sinks) {
      assert.ok(names.size < names.add(sink.name).size, `${sink.name} is the name of another sink`)
      const host = 'url' in sink ? new URL(String(sink.url)).hostname : ''
      assert.deepEqual(compose.services[host]?.profiles, service.profiles, `${sink.name}: ${host}`)
    }
  }
})

test('one variable turns the registry on for every role', (t) => {
  const roles = ours.filter(({ command = [] }) => command.includes('up'))
  for (const { environment } of roles) assert.equal(environment?.['REGISTRY_URL'], '${REGISTRY_URL:-}')
  const url = 'http://registry:8080/apis/ccompat/v7'
  process.env['REGISTRY_URL'] = url
  t.after(() => delete process.env['REGISTRY_URL'])
  for (const file of new Set(roles.map(mounted)))
    assert.equal(readConfig(new URL(file ?? '', root).pathname).registry?.url, url)
  assert.equal(config.registry, undefined)
  assert.deepEqual(compose.services['registry']?.profiles, ['registry'])
  assert.ok(read('docker-compose.yml').includes(`REGISTRY_URL=${url} docker compose --profile registry`))
})

test('the configuration names the broker by its service, which is the Kafka that the tests run against', () => {
  assert.deepEqual(config.kafka.brokers, ['kafka:9092'])
  assert.equal(compose.services['kafka']?.image, `apache/kafka:${kafkaVersion()}`)
})

test('the image is made of files that are there and that .dockerignore lets in', () => {
  const copied = [...read('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = '']) =>
    paths.split(' '),
  )
  assert.ok(copied.includes('src'))
  const letIn = read('.dockerignore').split('\n')
  for (const path of copied) {
    assert.ok(existsSync(new URL(path, root)), path)
    assert.ok(letIn.includes(`!${path}`), path)
  }
})
