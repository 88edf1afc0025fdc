import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { Budgets } from '../../../../src/app/budgets.ts'
import { checkAttachments } from '../../../../src/app/check/attachments.ts'
import { configFrom } from '../../../../src/config/config.ts'
import { silentLog } from '../../../../src/log.ts'
import { temporaryFolder } from '../../../support/chatfeed.ts'

/** `level about text` of every finding. */
async function checked(attachments: Record<string, unknown>, dataDir: string): Promise<string[]> {
  const config = configFrom({ dataDir, sources: [], attachments })
  const budgets = new Budgets(config, silentLog, { create: false })
  try {
    const findings = await checkAttachments(config, silentLog, budgets)
    return findings.map(({ level, about, text }) => `${level} ${about} ${text}`)
  } finally {
    budgets.close()
  }
}

test('mode link says so and looks at nothing', async (t) => {
  const told = await checked({}, join(temporaryFolder(t), 'data'))
  assert.deepEqual(told, ['ok mode Mode link: attachments are not asked for, links are carried on.'])
})

test('hosts that answer and hosts that do not are told apart, and nothing is made', async (t) => {
  const server = createServer((_request, response) => response.writeHead(404).end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { port: number }
  const folder = temporaryFolder(t)
  const archive = join(folder, 'archive')
  const allowHosts = [`localhost:${port}`, '127.0.0.1', 'nowhere.invalid', '*.example.com']
  const told = await checked({ mode: 'archive', archive, allowHosts }, join(folder, 'data'))
  assert.match(told[0] ?? '', /^ok spool /)
  assert.match(told[1] ?? '', /^ok archive /)
  assert.deepEqual(
    told.slice(2).map((text) => text.split(':').slice(0, 1).join()),
    [`ok hosts localhost`, 'warning hosts nowhere.invalid does not answer'],
  )
  assert.deepEqual([existsSync(archive), existsSync(join(folder, 'data'))], [false, false])
})

test('an archive that cannot be written to is a fault', async (t) => {
  const folder = temporaryFolder(t)
  writeFileSync(join(folder, 'file'), '')
  const archive = join(folder, 'file', 'archive')
  const told = await checked({ mode: 'archive', archive }, folder)
  assert.match(told[1] ?? '', /^fault archive /)
})
