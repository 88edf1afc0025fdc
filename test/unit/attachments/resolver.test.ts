import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pino } from 'pino'
import { Archive } from '../../../src/attachments/archive.ts'
import type { Outcome } from '../../../src/attachments/outcome.ts'
import { Resolver, type ResolverOptions } from '../../../src/attachments/resolver.ts'
import type { Attachment, MessageKind } from '../../../src/model.ts'
import { openObjectStore } from '../../../src/object-store/index.ts'
import { linkedAttachment } from '../../../src/providers/attachment.ts'
import type { FileAccess, RateBudget } from '../../../src/providers/provider.ts'
import { until } from '../../support/kafka.ts'
import { temporaryFolder } from '../../support/chatfeed.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A server of files by path, and what it was asked. */
async function serve(t: TestContext, files: Record<string, Answer>) {
  const asked: string[] = []
  const server = createServer((request, response) => {
    const { method = '', url = '', headers } = request
    const rights = [headers.authorization, headers['share-secret']].filter((right) => right !== undefined)
    asked.push([method, url, ...rights].join(' '))
    const answer = files[url.split('?')[0] ?? '']
    if (answer) answer(request, response)
    else response.writeHead(404).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  return { asked, port, host: `127.0.0.1:${port}`, base: `http://127.0.0.1:${port}` }
}

const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(5_000, 7)])
const send =
  (status: number, headers: Record<string, string> = {}, body: Buffer | string = ''): Answer =>
  (request, response) => {
    response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : body)
  }
const picture = send(200, { 'content-type': 'image/png', 'content-length': String(png.length) }, png)
const redirect = (location: string, status = 302): Answer => send(status, { location })

interface Given extends Partial<Omit<ResolverOptions, 'archive'>> {
  access?: FileAccess
  archive?: boolean
}

async function open(t: TestContext, { access, archive = false, ...given }: Given) {
  const folder = temporaryFolder(t)
  const lines: string[] = []
  const log = pino({ level: 'debug' }, { write: (line: string) => lines.push(line) })
  const store = await openObjectStore(join(folder, 'store'))
  const resolver = new Resolver({
    log,
    sources: new Map(access ? [['support', { access, budget: null }]] : []),
    allowHosts: [],
    concurrency: 4,
    maxBytes: 100_000,
    ...(archive && { archive: await Archive.open(store, join(folder, 'spool')) }),
    ...given,
  })
  t.after(() => resolver.close())
  const ask = (url: string, known: Partial<Attachment> = {}, kind: MessageKind = 'image', limitMs = 20_000) =>
    resolver.resolve(
      linkedAttachment(url, known),
      { source: 'support', kind, urgency: 'now' },
      AbortSignal.timeout(limitMs),
    )
  const kept = async () => {
    const keys: string[] = []
    for await (const { key } of store.list('')) keys.push(key)
    return keys
  }
  const spooled = () => readdirSync(join(folder, 'spool'))
  return {
    ask,
    kept,
    spooled,
    resolver,
    folder,
    log: () => lines.join(''),
    read: (key: string) => readFileSync(join(folder, 'store', key)),
  }
}

const brief = ({ state, reason }: Outcome): string => (reason === null ? state : `${state} ${reason}`)

test('check asks by HEAD, and by the first byte where that is refused', async (t) => {
  const noHead: Answer = (request, response) => {
    if (request.method === 'HEAD') response.writeHead(405).end()
    else
      response
        .writeHead(206, {
          'content-type': 'audio/amr',
          'content-range': 'bytes 0-0/4711',
          'content-length': '1',
        })
        .end('#')
  }
  const { host, base, asked } = await serve(t, { '/a.png': picture, '/b': noHead })
  const { ask } = await open(t, { allowHosts: [host] })
  assert.deepEqual(await ask(`${base}/a.png`), {
    state: 'available',
    reason: null,
    retry: false,
    size: png.length,
    mimeType: 'image/png',
  })
  const audio = await ask(`${base}/b?share-secret=s`, {}, 'audio')
  assert.deepEqual([audio.size, audio.mimeType], [4_711, 'audio/amr'])
  assert.deepEqual(asked, ['HEAD /a.png', 'HEAD /b?share-secret=s', 'GET /b?share-secret=s'])
})

test('archive keeps a file by its content, once however often it is sent, and nothing beside it', async (t) => {
  const { host, base } = await serve(t, { '/a.png': picture, '/again.png': picture })
  const { ask, kept, spooled, read } = await open(t, { allowHosts: [host], archive: true })
  const sha256 = createHash('sha256').update(png).digest('hex')
  const archiveKey = `sha256/${sha256.slice(0, 2)}/${sha256}`
  const expected = {
    state: 'archived',
    reason: null,
    retry: false,
    sha256,
    archiveKey,
    size: png.length,
    mimeType: 'image/png',
  }
  const found = await Promise.all(['a', 'again', 'a'].map((name) => ask(`${base}/${name}.png`)))
  for (const outcome of found) assert.deepEqual(outcome, expected)
  assert.deepEqual(await kept(), [archiveKey])
  assert.deepEqual(read(archiveKey), png)
  assert.deepEqual(spooled(), [])
})

test('what an answer means', async (t) => {
  const page = send(200, { 'content-type': 'text/html; charset=utf-8' }, '<html>Sign in</html>')
  const hidden = send(200, { 'content-type': 'image/png' }, '  <!DOCTYPE html><title>Sign in</title>')
  const json = send(200, { 'content-type': 'application/json' }, '{"error":"file_expired"}')
  const typeless = send(200, {}, '{"code":401,"message":"no"}')
  const files: Record<string, Answer> = {
    '/gone': send(404, {}, '{"error":"entity_not_found"}'),
    '/expired': send(410),
    '/app': send(404, {}, '{"error":"organization_application_not_found"}'),
    '/closed': send(403),
    '/login': send(401),
    '/broken': send(500),
    '/page': page,
    '/hidden': hidden,
    '/json': json,
    '/typeless': typeless,
    '/empty': send(200, { 'content-type': 'image/png' }),
    '/large': send(200, { 'content-length': '200000' }, Buffer.alloc(200_000)),
    '/packed': send(200, { 'content-encoding': 'gzip' }, 'x'),
    '/endless': (_request, response) => {
      response.writeHead(200, { 'content-type': 'image/png' })
      const pour = () => {
        while (response.write(Buffer.alloc(16_384)));
        response.once('drain', pour)
      }
      pour()
    },
    '/cut': (_request, response) => {
      response.writeHead(200, { 'content-length': '5000' }).write(Buffer.alloc(100, 1))
      setTimeout(() => response.destroy(), 50)
    },
    '/open-ended': (_request, response) => {
      response.shouldKeepAlive = false
      response.useChunkedEncodingByDefault = false
      response.removeHeader('transfer-encoding')
      response.writeHead(200, { connection: 'close' }).end(Buffer.alloc(100, 1))
    },
  }
  const { host, base } = await serve(t, files)
  const { ask, kept, spooled } = await open(t, { allowHosts: [host], archive: true })
  const judged = async (path: string, known: Partial<Attachment> = {}, kind: MessageKind = 'image') => {
    const outcome = await ask(`${base}${path}`, known, kind)
    return `${brief(outcome)}${outcome.retry ? ', later' : ''}`
  }
  for (const [path, expected] of [
    ['/gone', 'gone status_404'],
    ['/expired', 'gone status_410'],
    ['/app', 'failed unknown_app, later'],
    ['/closed', 'forbidden status_403'],
    ['/login', 'forbidden status_401'],
    ['/broken', 'failed status_500, later'],
    ['/page', 'failed page, later'],
    ['/hidden', 'failed page, later'],
    ['/json', 'failed page, later'],
    ['/typeless', 'failed page, later'],
    ['/empty', 'failed empty, later'],
    ['/large', 'failed too_large'],
    ['/endless', 'failed too_large'],
    ['/packed', 'failed encoded, later'],
    ['/cut', 'failed unreachable, later'],
  ] as const)
    assert.equal(await judged(path), expected, path)
  assert.equal(await judged('/open-ended', { size: 5_000 }), 'failed cut_short, later')
  assert.deepEqual(await kept(), [], 'what is no file is not kept')
  assert.deepEqual(spooled(), [])
  assert.equal(await judged('/open-ended', { size: 100 }), 'archived')
  assert.equal(await judged('/page', { name: 'report.html' }, 'file'), 'archived')
  assert.equal(await judged('/json', { name: 'data.json' }, 'file'), 'archived')
  assert.equal(await judged('/json', { name: 'data.bin' }, 'file'), 'failed page, later')
  assert.equal(await judged('/page', { name: 'page.html', role: 'thumbnail' }, 'file'), 'failed page, later')
})

test('redirects are followed five times at most, each judged like the link itself', async (t) => {
  const inner = await serve(t, { '/secret': picture })
  const files: Record<string, Answer> = {
    '/a.png': picture,
    '/moved': redirect('/a.png', 301),
    '/signed': redirect('/a.png?Signature=x', 301),
    '/once': redirect('/a.png', 302),
    '/loop': redirect('/loop'),
    '/nowhere': send(302),
    '/inside': redirect(`${inner.base}/secret`),
    '/by-name': redirect(`http://localhost:${inner.port}/secret`),
    '/mapped': redirect(`http://[::ffff:127.0.0.1]:${inner.port}/secret`),
    '/any': redirect(`http://0.0.0.0:${inner.port}/secret`),
    '/metadata': redirect('http://169.254.169.254/latest/meta-data/iam'),
    '/file': redirect('file:///etc/passwd'),
    '/user': redirect('http://a:b@127.0.0.1/x'),
  }
  for (let hop = 0; hop < 7; hop++) files[`/hop${hop}`] = redirect(hop === 0 ? '/a.png' : `/hop${hop - 1}`)
  const { host, base } = await serve(t, files)
  const { ask } = await open(t, { allowHosts: [host] })
  const at = async (path: string) => ask(`${base}${path}`)
  assert.equal((await at('/moved')).resolvedUrl, `${base}/a.png`, 'moved for good')
  assert.equal((await at('/signed')).resolvedUrl, undefined, 'a signature ends')
  assert.equal((await at('/once')).resolvedUrl, undefined, 'moved for now')
  assert.equal(brief(await at('/hop4')), 'available')
  assert.equal(brief(await at('/hop5')), 'failed too_many_redirects')
  assert.equal(brief(await at('/loop')), 'failed too_many_redirects')
  assert.equal(brief(await at('/nowhere')), 'failed redirect_nowhere')
  for (const path of ['/inside', '/by-name', '/mapped', '/any', '/metadata'])
    assert.equal(brief(await at(path)), 'failed redirect_host_refused', path)
  assert.equal(brief(await at('/file')), 'failed redirect_scheme_refused')
  assert.equal(brief(await at('/user')), 'failed redirect_userinfo_refused')
  assert.deepEqual(inner.asked, [])
})

test('a name that is allowed leads to no private address', async (t) => {
  const { port, asked } = await serve(t, { '/a.png': picture })
  const closed = await open(t, { allowHosts: [`localhost:${port}`] })
  assert.equal(brief(await closed.ask(`http://localhost:${port}/a.png`)), 'failed address_refused')
  assert.deepEqual(asked, [])
  const opened = await open(t, { allowHosts: [`localhost:${port}`, '127.0.0.1'] })
  assert.equal(brief(await opened.ask(`http://localhost:${port}/a.png`)), 'available')
})

/** Access of a source whose files open with a token alone. */
function withToken(base: string, tokens: string[]): FileAccess {
  return {
    hosts: [],
    ownHost: '127.0.0.1',
    isOwn: ({ origin, pathname }) => origin === base && pathname.startsWith('/files/'),
    rate: null,
    mayAuthorize(url) {
      return this.isOwn(url)
    },
    authorize(link) {
      if (!this.isOwn(link)) return Promise.resolve(null)
      const url = new URL(link)
      url.search = ''
      const headers = {
        authorization: `Bearer ${tokens[0]}`,
        'share-secret': link.searchParams.get('share-secret') ?? '',
      }
      return Promise.resolve({ url, headers, drop: () => tokens.shift() })
    },
    close: () => Promise.resolve(),
  }
}

test('a token goes to the own files that ask for it, and along no redirect', async (t) => {
  const other = await serve(t, { '/a.png': picture })
  const gate =
    (answer: Answer): Answer =>
    (request, response) => {
      if (request.headers.authorization === 'Bearer good') answer(request, response)
      else response.writeHead(401).end()
    }
  const { base, host, asked } = await serve(t, {
    '/files/a': gate(picture),
    '/files/away': gate(redirect(`${other.base}/a.png`)),
    '/files/near': gate(redirect('/a.png')),
    '/a.png': picture,
    '/api/users': gate(picture),
  })
  const access = withToken(base, ['old', 'good'])
  const { ask, log } = await open(t, { access, allowHosts: [other.host, host] })
  assert.equal(brief(await ask(`${base}/files/a?share-secret=hush`)), 'available')
  assert.deepEqual(asked.splice(0), [
    'HEAD /files/a?share-secret=hush',
    'HEAD /files/a Bearer old hush',
    'HEAD /files/a Bearer good hush',
  ])
  assert.equal(brief(await ask(`${base}/files/away`)), 'available')
  assert.equal(brief(await ask(`${base}/files/near`)), 'available')
  assert.deepEqual(other.asked, ['HEAD /a.png'])
  assert.deepEqual(asked.splice(0), [
    'HEAD /files/away Bearer good ',
    'HEAD /files/near Bearer good ',
    'HEAD /a.png',
  ])
  assert.equal(brief(await ask(`${base}/api/users?share-secret=hush`)), 'forbidden status_401')
  assert.ok(asked.every((line) => !line.includes('Bearer')))
  assert.doesNotMatch(log(), /hush|good|share-secret|\/files|\/api/)
  assert.match(log(), /"host":"127\.0\.0\.1:\d+"/)
})

test('a token that cannot be had, or is not accepted, is no word on the file', async (t) => {
  const { base } = await serve(t, { '/files/a': send(401), '/files/b': send(401) })
  const { ask } = await open(t, { access: withToken(base, ['bad', 'bad']), archive: true })
  assert.deepEqual(await ask(`${base}/files/a`), { state: 'failed', reason: 'unauthorized', retry: true })
})

test('a host that hangs takes its time three times, then rests; others go on', async (t) => {
  const hanging = await serve(t, { '/a': () => undefined })
  const { host, base } = await serve(t, { '/a.png': picture })
  const { ask } = await open(t, { allowHosts: [hanging.host, host], archive: true })
  const reasons = await Promise.all([1, 2, 3].map(() => ask(`${hanging.base}/a`, {}, 'image', 300)))
  assert.deepEqual(reasons.map(brief), Array(3).fill('failed not_in_time'))
  assert.equal(hanging.asked.length, 3)
  assert.equal(brief(await ask(`${hanging.base}/a`)), 'failed host_rests')
  assert.equal(hanging.asked.length, 3)
  assert.equal(brief(await ask(`${base}/a.png`)), 'archived')
})

test('a host that asks for a rest gets it at once', async (t) => {
  const { host, base, asked } = await serve(t, { '/a': send(429, { 'retry-after': '20' }) })
  const { ask } = await open(t, { allowHosts: [host], archive: true })
  assert.equal(brief(await ask(`${base}/a`)), 'failed status_429')
  assert.equal(brief(await ask(`${base}/a`)), 'failed host_rests')
  assert.equal(asked.length, 1)
})

test('no more are asked for at once than allowed, and messages on their way go before later attempts', async (t) => {
  let atOnce = 0
  let most = 0
  const { host, base, asked } = await serve(t, {
    '/now': (request, response) => {
      most = Math.max(most, ++atOnce)
      setTimeout(() => {
        atOnce--
        picture(request, response)
      }, 30)
    },
    '/later': picture,
  })
  const { resolver } = await open(t, { allowHosts: [host], concurrency: 2, archive: true })
  const resolve = (path: string, urgency: 'now' | 'later') =>
    resolver.resolve(
      linkedAttachment(`${base}${path}`),
      { source: 'support', kind: 'image', urgency },
      AbortSignal.timeout(20_000),
    )
  const first = [resolve('/now', 'now'), resolve('/now', 'now')]
  const later = resolve('/later', 'later')
  await Promise.all([...first, ...[1, 2, 3, 4].map(() => resolve('/now', 'now')), later])
  assert.equal(most, 2)
  assert.ok(asked.indexOf('GET /later') >= 5, asked.join(', '))
})

test('a spool that cannot be written jams no host: once it is mended all goes on', async (t) => {
  const large = Buffer.concat([png, Buffer.alloc(90_000, 1)])
  const { host, base } = await serve(t, { '/a.png': send(200, { 'content-type': 'image/png' }, large) })
  const { ask, folder } = await open(t, { allowHosts: [host], archive: true, concurrency: 2 })
  const spool = join(folder, 'spool')
  rmSync(spool, { recursive: true })
  writeFileSync(spool, 'in the way')
  for (let n = 0; n < 5; n++) assert.equal(brief(await ask(`${base}/a.png`)).split(' ')[0], 'failed')
  rmSync(spool)
  assert.equal(brief(await ask(`${base}/a.png`, {}, 'image', 5_000)), 'archived')
})

test('a part of a file that nobody asked for is not the file', async (t) => {
  const part = send(
    206,
    { 'content-type': 'image/png', 'content-range': 'bytes 0-9/5000' },
    png.subarray(0, 10),
  )
  const { host, base } = await serve(t, { '/a.png': part })
  const { ask, kept } = await open(t, { allowHosts: [host], archive: true })
  assert.equal(brief(await ask(`${base}/a.png`)), 'failed cut_short')
  assert.deepEqual(await kept(), [])
})

test('a partition that is given up says nothing against the hosts that it waited for', async (t) => {
  const hanging = await serve(t, { '/a': () => undefined })
  const { resolver } = await open(t, { allowHosts: [hanging.host], archive: true })
  const asker = { source: 'support', kind: 'image', urgency: 'now' } as const
  for (let n = 1; n <= 4; n++) {
    const stop = new AbortController()
    const asking = resolver.resolve(linkedAttachment(`${hanging.base}/a`), asker, stop.signal)
    await until('it is asked', () => hanging.asked.length === n)
    stop.abort()
    await asking
  }
  assert.equal(hanging.asked.length, 4)
})

test('a host that is not the provider’s cannot make the provider rest', async (t) => {
  const paused: number[] = []
  const lane = {
    take: () => Promise.resolve(),
    pause: (ms: number) => paused.push(ms),
  } as unknown as RateBudget
  const { host, base } = await serve(t, { '/a': send(503, { 'retry-after': '3600' }) })
  const access: FileAccess = {
    hosts: [],
    ownHost: '127.0.0.1',
    isOwn: () => false,
    rate: null,
    mayAuthorize: () => false,
    authorize: () => Promise.resolve(null),
    close: () => Promise.resolve(),
  }
  const sources = new Map([['support', { access, budget: { now: lane, later: lane } }]])
  const { ask } = await open(t, { allowHosts: [host], sources, archive: true })
  assert.equal(brief(await ask(`${base}/a`)), 'failed status_503')
  assert.deepEqual(paused, [])
})
