import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { builtOnce } from '../../bench/cache.ts'
import { temporaryFolder } from '../chatfeed.ts'
import type { Cleanup } from '../cleanup.ts'

const sources = fileURLToPath(new URL('chdb/', import.meta.url))

/** A chdb that answers as ClickHouse does over HTTP. */
export interface Chdb {
  url: string
  query<Row>(statement: string): Promise<Row[]>
}

/** Starts one with an empty folder; needs Python 3.9 or newer, and installs chdb into the cache folder once. */
export async function startChdb(t: Cleanup): Promise<Chdb> {
  const folder = await builtOnce(
    sources,
    readFileSync(join(sources, 'requirements.txt'), 'utf8').trim(),
    (cwd) => {
      execFileSync('python3', ['-m', 'venv', 'venv'], { cwd })
      execFileSync('venv/bin/pip', ['install', '--quiet', '-r', 'requirements.txt'], { cwd })
      return Promise.resolve()
    },
  )
  const python = join(folder, 'venv/bin/python')
  if (!existsSync(python)) throw new Error(`There is no ${python}.`)
  const data = temporaryFolder(t)
  const child = spawn(python, [join(sources, 'server.py'), data], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(async () => {
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  })
  const [port] = (await once(child.stdout, 'data')) as [Buffer]
  const url = `http://127.0.0.1:${port.toString().trim()}`
  return {
    url,
    async query<Row>(statement: string) {
      const answer = await fetch(url, { method: 'POST', body: `${statement} format JSONEachRow` })
      const text = await answer.text()
      if (!answer.ok) throw new Error(text)
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Row)
    },
  }
}
