import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommandLines, temporaryFolder } from '../../support/chatfeed.ts'

test('each command on dead letters tells its options, --config and --json among them', async (t) => {
  const commands = ['list', 'show', 'replay', 'discard']
  const results = await runCommandLines(
    t,
    [['dead', '--help'], ...commands.map((command) => ['dead', command, '--help'])],
    temporaryFolder(t),
  )
  for (const [at, { status, stdout }] of results.entries()) {
    assert.equal(status, 0)
    const command = commands[at - 1]
    if (command === undefined) {
      for (const name of commands) assert.match(stdout, new RegExp(`^ {2}${name} `, 'm'))
      continue
    }
    assert.match(stdout, new RegExp(`^Usage: chatfeed dead ${command} `))
    assert.match(stdout, /--config <FILE>/)
    assert.match(stdout, /--json/)
  }
})

test('it must be said which letters are meant, and why they are given up, before anything is started', async (t) => {
  const wrong = [
    ['dead'],
    ['dead', 'bury'],
    ['dead', 'show'],
    ['dead', 'list', '--limit', '0'],
    ['dead', 'list', '--from', 'yesterday'],
    ['dead', 'replay'],
    ['dead', 'replay', '--code', 'not_json'],
    ['dead', 'replay', 'a', '--all'],
    ['dead', 'replay', 'a', '--code', 'not_json'],
    ['dead', 'discard', 'a'],
    ['dead', 'discard', 'a', '--reason', '  '],
    ['dead', 'discard', '--reason', 'why'],
  ]
  const results = await runCommandLines(t, wrong, temporaryFolder(t))
  for (const [at, { status, stdout, stderr }] of results.entries()) {
    assert.equal(status, 2, wrong[at]?.join(' '))
    assert.equal(stdout, '')
    assert.doesNotMatch(stderr, /\n {4}at /)
  }
})
