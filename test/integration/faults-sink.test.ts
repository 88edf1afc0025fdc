import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { DatabaseSync, type DatabaseSyncInstance as Database } from '@photostructure/sqlite'
import { assertBalanced } from '../support/balance.ts'
import { type ChatfeedProcess, startChatfeed } from '../support/chatfeed.ts'
import { removeDatabase } from '../support/database.ts'
import { until } from '../support/kafka.ts'
import { type SceneOptions, startScene } from '../support/scene.ts'

async function arena(t: TestContext, options: SceneOptions = {}) {
  const scene = await startScene(t, { messagesPerHour: 60, since: '16h', ...options })
  const database = join(scene.folder, options.database ?? 'messages.db')
  const stored = () => countRows(database)
  return {
    scene,
    database,
    stored,
    up: () => startChatfeed(t, ['up'], { cwd: scene.folder, withoutPower: true }),
    /** Waits until all that was handed out is in `messages`, whatever becomes of the sink. */
    async carriedThrough() {
      let before = 0
      await until('messages are complete', async () => {
        const isQuiet = before > 0 && before === scene.served().revisions
        before = scene.served().revisions
        return isQuiet && (await scene.readMessages()).length === before
      })
    },
    async assertRecovers({ process, ended }: ChatfeedProcess) {
      await until('all is stored', () => stored() === scene.served().messages)
      process.kill('SIGTERM')
      const { status, stderr } = await ended
      assert.equal(status, 0, stderr)
      await assertBalanced(scene)
    },
  }
}

/** Messages in the database; 0 while it is not made yet. */
function countRows(database: string): number {
  let db: Database | undefined
  try {
    db = new DatabaseSync(database, { readOnly: true })
    return (db.prepare('select count(*) as count from messages').get() as { count: number }).count
  } catch {
    return 0
  } finally {
    db?.close()
  }
}

const says = (chatfeed: ChatfeedProcess, words: string) =>
  until(`it says ${words}`, () => chatfeed.stderr().includes(words))

suite(
  'the sink cannot be written: it alone waits, says so, and goes on by itself:',
  { concurrency: 2 },
  () => {
    test('another program has locked the database from the start', async (t) => {
      const own = await arena(t)
      const { database, stored, up } = own
      const other = new DatabaseSync(database)
      t.after(() => other.close())
      other.exec('pragma journal_mode = wal; begin exclusive')
      const chatfeed = up()
      await says(chatfeed, 'is locked by another program')
      await own.carriedThrough()
      assert.equal(stored(), 0)
      other.exec('rollback')
      await own.assertRecovers(chatfeed)
    })

    test('another program locks the database now and then', async (t) => {
      const own = await arena(t)
      const { database, stored, up } = own
      const chatfeed = up()
      await until('some are stored', () => stored() > 0)
      // The store may be in the middle of a write: another program waits for its turn, and gets it.
      const other = new DatabaseSync(database, { timeout: 5_000 })
      t.after(() => other.close())
      other.exec('begin immediate')
      await own.carriedThrough()
      other.exec('rollback')
      await own.assertRecovers(chatfeed)
    })

    test('the database may not be written at the start', async (t) => {
      const own = await arena(t)
      const { database, stored, up } = own
      writeFileSync(database, '', { mode: 0o444 })
      const chatfeed = up()
      await says(chatfeed, 'may not be written')
      await own.carriedThrough()
      assert.equal(stored(), 0)
      chmodSync(database, 0o644)
      await own.assertRecovers(chatfeed)
    })

    test('the folder of the database cannot be made at the start', async (t) => {
      const own = await arena(t, { database: 'store/messages.db' })
      const { scene, stored, up } = own
      const obstacle = join(scene.folder, 'store')
      writeFileSync(obstacle, '')
      const chatfeed = up()
      await says(chatfeed, 'cannot be opened')
      await own.carriedThrough()
      assert.equal(stored(), 0)
      rmSync(obstacle)
      await own.assertRecovers(chatfeed)
    })

    test('the database is removed', async (t) => {
      const own = await arena(t, { since: '3h', messagesPerHour: 600 })
      const { scene, database, stored, up } = own
      const chatfeed = up()
      await until('some are stored', () => stored() > 0)
      await own.carriedThrough()
      removeDatabase(database)
      scene.setClock(Date.now() + 100_000) // brings new messages
      await says(chatfeed, 'was removed')
      await own.carriedThrough()
      await own.assertRecovers(chatfeed)
    })

    // The limit of file sizes stands in for the disk, and only Linux can change it for a running process.
    if (process.platform === 'linux') {
      test('the disk is full', async (t) => {
        const own = await arena(t)
        const { scene, stored, up } = own
        const chatfeed = up()
        const limitFiles = (bytes: string) =>
          execFileSync('prlimit', [`--pid=${chatfeed.process.pid}`, `--fsize=${bytes}:`])
        limitFiles('200000')
        await says(chatfeed, 'sqlite_')
        await own.carriedThrough()
        assert.ok(stored() < scene.served().messages, 'there was not room for all')
        limitFiles('unlimited')
        await own.assertRecovers(chatfeed)
      })
    }
  },
)
