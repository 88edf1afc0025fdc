import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parseConfig } from '../../src/config/config.ts'
import { configSchema } from '../../src/config/schema.ts'
import { registry } from '../../src/metrics.ts'
import { easemobConfig } from '../../src/providers/easemob/config.ts'
import { polyvConfig } from '../../src/providers/polyv/config.ts'
import { registryConfig } from '../../src/registry/config.ts'
import { sinkConfig } from '../../src/sinks/index.ts'
import { whereSchema } from '../../src/sinks/where.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')
const readme = read('README.md')

test('every link inside the repository leads somewhere', () => {
  for (const page of [
    'README.md',
    'CHANGELOG.md',
    'docs/delivery.md',
    'docs/kafka.md',
    'docs/performance.md',
    'docs/providers.md',
    'docs/readers.md',
  ]) {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)#:]+)\)/g))
      assert.ok(existsSync(new URL(target, new URL(page, root))), `${page}: ${target}`)
  }
})

test('every promise names tests that are there', () => {
  const page = read('docs/delivery.md')
  const promises = page.split('\n## ').slice(1, -2)
  assert.ok(promises.length > 6)
  let named = 0
  for (const promise of promises) {
    assert.match(promise, /_Proved by_ \[.+_Rests on_/s)
    for (const [, file = '', names = ''] of promise.matchAll(/\]\(([^)]+\.ts)\)([^;\n[]*)/g)) {
      const tests = readFileSync(new URL(file, new URL('docs/delivery.md', root)), 'utf8')
      for (const [, name = ''] of names.matchAll(/“([^”]+)”/g))
        assert.ok(++named && tests.includes(name), `${file}: ${name}`)
    }
  }
  assert.ok(named > 10, String(named))
})

test('the example of a configuration is accepted', () => {
  const [, example = ''] = /```yaml\n(sources:[^]+?)```/.exec(readme) ?? []
  const names = ['EASEMOB_CLIENT_ID', 'EASEMOB_CLIENT_SECRET', 'POLYV_APP_ID', 'POLYV_APP_SECRET']
  const config = parseConfig(example, 'example', Object.fromEntries(names.map((name) => [name, 'set'])))
  assert.deepEqual(
    config.sources.map(({ provider }) => provider),
    ['easemob', 'polyv'],
  )
})

test('the sinks that readers are shown are accepted', () => {
  const [, example = ''] = /```yaml\n(sinks:[^]+?)```/.exec(read('docs/readers.md')) ?? []
  const { sinks } = parseConfig(`sources: []\n${example}`, 'example', { PGPASSWORD: 'p', CRM_SECRET: 's' })
  assert.deepEqual(
    sinks.map(({ type }) => type),
    ['sqlite', 'opensearch', 'postgres', 'files', 'webhook'],
  )
})

test('every type of sink has a row of its own', () => {
  for (const { shape } of sinkConfig.options) {
    const [type = ''] = [...shape.type.values]
    assert.match(readme, new RegExp(`^\\| \\\`${type}\\\` `, 'm'), type)
  }
})

test('every key of the configuration is explained', () => {
  const ofSection = (section: 'kafka' | 'http' | 'dedup' | 'attachments') =>
    Object.keys(configSchema.shape[section].unwrap().shape)
  const ofSinks = sinkConfig.options.flatMap(({ shape }) => Object.keys(shape))
  const keys = [
    ...Object.keys(configSchema.shape),
    ...ofSection('kafka'),
    ...ofSection('http'),
    ...ofSection('dedup'),
    ...ofSection('attachments'),
    ...Object.keys(easemobConfig.shape),
    ...Object.keys(polyvConfig.shape),
    ...Object.keys(registryConfig.shape),
    ...ofSinks,
  ]
  assert.ok(keys.length > 40)
  const [, configuration = ''] = /## Configuration\n([^]+?)\n## /.exec(readme) ?? []
  for (const key of keys) assert.match(configuration, new RegExp(`[\`.]${key}[\`.:]`), key)
})

test('every key of a filter is named', () => {
  assert.ok(readme.includes(`\`{ ${Object.keys(whereSchema.shape).join(', ')} }\``))
})

test('every metric is explained, with its labels', () => {
  for (const { name, labelNames } of registry.getMetricsAsArray() as unknown as Metric[])
    assert.ok(readme.includes(`\`${name}{${labelNames.join(',')}}\``), name)
})

/** prom-client does not tell its labels in its types. */
interface Metric {
  name: string
  labelNames: string[]
}

test('the steps of the test script stand each in a block of their own', () => {
  for (const step of ['npm ci', 'npm test']) assert.ok(readme.includes(`\`\`\`sh\n${step}\n\`\`\``), step)
})
