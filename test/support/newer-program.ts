import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { temporaryFolder } from './chatfeed.ts'
import type { Cleanup } from './cleanup.ts'

const root = resolve(import.meta.dirname, '../..')

/** The fields that the newer version has, and the code that goes with them. */
const edits: Record<string, [before: string, after: string][]> = {
  'src/avro-message.ts': [
    ['out.someString(message.data)', "out.someString(message.data)\n  out.someString('glad')"],
  ],
  'src/avro-raw-message.ts': [
    ['out.long(raw.fetchedAt)', 'out.long(raw.fetchedAt)\n  out.someString(null)'],
    ['fetchedAt: input.number()', 'fetchedAt: [input.number(), input.some()][0] as number'],
  ],
  'src/ingest/raw-message-writer.ts': [
    [
      'at = writeLong(head, this.#fetchedAt, at)',
      'at = writeLong(head, this.#fetchedAt, at)\n    head[at++] = 0',
    ],
    ['= 1 + fingerprintBytes', '= 1 + 1 + fingerprintBytes'],
  ],
  'src/stages/dedup-record.ts': [
    [
      'this.fetchedAt = this.#varint()',
      'this.fetchedAt = this.#varint()\n    if (this.#varint() !== 0) return false',
    ],
  ],
}

/**
 * The next version of the program in a folder of its own: every schema has got a field with a default, and the schemas
 * of this version lie in `schemas/former`, as a release leaves them. Answers the folder.
 */
export function newerProgram(t: Cleanup): string {
  const folder = temporaryFolder(t)
  for (const part of ['src', 'schemas', 'broker', 'test/support', 'package.json', 'tsconfig.json'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const name of ['raw-message', 'message', 'ledger-entry', 'unread-count']) {
    const file = join(folder, 'schemas', `${name}.avsc`)
    cpSync(file, join(folder, 'schemas/former', `${name}-1.avsc`))
    const schema = JSON.parse(readFileSync(file, 'utf8')) as { fields: object[] }
    const field = { name: 'mood', type: ['null', 'string'], default: null, doc: 'New.' }
    // The payload stays last, for the record is written around it.
    schema.fields.splice(name === 'raw-message' ? -1 : schema.fields.length, 0, field)
    writeFileSync(file, JSON.stringify(schema))
  }
  for (const [file, changes] of Object.entries(edits)) {
    let text = readFileSync(join(folder, file), 'utf8')
    for (const [before, after] of changes) {
      if (text.split(before).length !== 2) throw new Error(`${file} does not hold ${before} once`)
      text = text.replace(before, after)
    }
    writeFileSync(join(folder, file), text)
  }
  return folder
}
