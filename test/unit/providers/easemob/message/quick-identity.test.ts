import assert from 'node:assert/strict'
import { test } from 'node:test'
import { identifyParsed } from '../../../../../src/providers/easemob/message/identity.ts'
import { quickIdentity } from '../../../../../src/providers/easemob/message/quick-identity.ts'

const line = (text: string): Buffer => Buffer.from(text)

/** A record as the documents show it, with these bodies and ext. */
const ordinary = (bodies: string, ext = '{}'): Buffer =>
  line(
    `{"msg_id":"5I02W","timestamp":"1403099033211","direction":"outgoing","to":"1402541206787","from":"zw123",` +
      `"chat_type":"groupchat","payload":{"ext":${ext},"bodies":${bodies},"from":"zw123"}}`,
  )

function assertSame(record: Buffer): void {
  assert.deepEqual(quickIdentity(record), identifyParsed(record), record.toString())
}

test('records as the documents show them are filed without the parser', () => {
  assertSame(ordinary('[{"msg":"你好","type":"txt"}]'))
  assertSame(
    ordinary('[{"type":"img","url":"https://a/b","size":{"width":480,"height":720.5},"secret":"VfEpS"}]'),
  )
  assertSame(
    ordinary('[{"addr":"桥","lat":39.9053,"lng":-116.36302,"type":"loc"}]', '{"b":[1,{},null],"a":true}'),
  )
  assertSame(ordinary('[{"msg":"a\\"b\\\\c\\nd","type":"txt"},{"type":"cmd"}]', 'null'))
  assertSame(
    ordinary(
      '[ {"msg" : "a\\u4f60\\/\\ud83d\\ude00\\ud800" ,\t"type":"txt"} ]',
      '{"x":0,"":"","ab":1,"a":2}',
    ),
  )
  assertSame(line('{"msg_id":"1","timestamp":1403099033211,"payload":{"bodies":[{}]}}'))
  assertSame(
    line(
      '{"chat_type":{"b":1,"a":[]},"timestamp":"0","payload":{"bodies":[{"a":[]}],"ext":"{}"},"msg_id":"1"}',
    ),
  )
})

test('what the scan does not understand it leaves to the parser', () => {
  const bodies = '[{"msg":"x","type":"txt"}]'
  for (const record of [
    '',
    '[]',
    'null',
    '{}',
    '{"msg_id":"1","timestamp":"1","payload":{"bodies":[]}}',
    '{"msg_id":"1","timestamp":"1","payload":{"bodies":["{\\"a\\":1}"]}}',
    `{"msg_id":"1","timestamp":"1","payload":"{}"}`,
    `{"msg_id":1234567890123456789,"timestamp":"1","payload":{"bodies":${bodies}}}`,
    `{"msg_id":"","timestamp":"1","payload":{"bodies":${bodies}}}`,
    `{"msg_id":"1","msg_id":"2","timestamp":"1","payload":{"bodies":${bodies}}}`,
    `{"msg_id":"1","timestamp":" 1","payload":{"bodies":${bodies}}}`,
    `{"msg_id":"1","timestamp":"1","recall_id":"2","payload":{"bodies":${bodies}}}`,
    `{"msg_id":"1","timestamp":"1","bodies":${bodies},"payload":{"bodies":${bodies}}}`,
    `{"msg_id":"1","timestamp":"1","ext":{"a":1},"payload":{"bodies":${bodies}}}`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"meta":{"edit_msg":{}}}}`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"ack_message_id":"2"}}`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"edit_message_id":"2"}}`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies}}} x`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies}}`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"ext":{"a":1,"a":2}}}`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"ext":{"b":1,"a":2,"b":3}}}`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"ext":{"__proto__":1}}}`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"ext":{"键":1}}}`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"ext":{"a":"${'\t'}"}}}`,
    ...[
      '01',
      '-',
      '-0',
      '1.',
      '1.50',
      '1e5',
      '0.0000001',
      '12345678901234567890',
      'nul',
      'NaN',
      '[1,]',
      '{"a":1,}',
    ].map((value) => `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"ext":{"a":${value}}}}`),
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"ext":${'['.repeat(60)}${']'.repeat(60)}}}`,
    `{"msg_id":"1","timestamp":"1","payload":{"bodies":${bodies},"ext":{"a":"${'x'.repeat(70_000)}"}}}`,
  ])
    assert.equal(quickIdentity(line(record)), null, record)
  // Not UTF-8: the parser reads a replacement character.
  assert.equal(
    quickIdentity(
      Buffer.concat([ordinary('[{"msg":"').subarray(0, -9), Buffer.from([0xe4, 0xbd]), line('"}]}}')]),
    ),
    null,
  )
})

/** Numbers from 0 to below `below`, the same at every run. */
let state = 7
function dice(below: number): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}
const oneOf = <T>(...choices: readonly T[]): T => choices[dice(choices.length)]!
const many = <T>(most: number, make: () => T): T[] => Array.from({ length: dice(most + 1) }, make)

/** Mostly what is usual, now and then what is not. */
const unlikely = (usual: () => string, ...unusual: readonly string[]): string =>
  dice(25) > 0 ? usual() : oneOf(...unusual)

const space = (): string => (dice(6) > 0 ? '' : oneOf(' ', '\t', ' \r'))
const list = (items: readonly string[], open: string, close: string): string =>
  `${open}${space()}${items.join(`${space()},${space()}`)}${space()}${close}`
const member = (key: string, value: string): string => `${key}${space()}:${space()}${value}`
const object = (members: readonly string[]): string =>
  list(
    members
      .map((text) => [dice(100), text] as const)
      .sort(([a], [b]) => a - b)
      .map(([, text]) => text),
    '{',
    '}',
  )

const word = (): string =>
  unlikely(
    () =>
      `"${many(5, () => oneOf('a', 'Z', '0', ' ', '/', '你好', '😀', '\\n', '\\"', '\\\\', '\\t', '\u2028', '\x7f')).join('')}"`,
    ...[
      '"\\u4f60\\/"',
      '"\\ud83d\\ude00"',
      '"\\ud800"',
      '"\\u00e9\\u0007"',
      '"\\x"',
      '"\n"',
      '"\\u12g4"',
      '"',
      '"[1]"',
      '"{}"',
    ],
  )
const number = (): string =>
  unlikely(
    () => oneOf('0', '7', '-12', '39.9053', '-116.36302', '123456789012345', '0.5', '1.05', '-0.25'),
    ...[
      '-0',
      '1.50',
      '1e5',
      '01',
      '1.',
      '.5',
      '-',
      '0.0000001',
      '1234567890123456',
      '12345678901.23456',
      '-0.0',
    ],
  )
const key = (): string =>
  unlikely(
    () => `"${oneOf('a', 'b', 'ab', 'a!', 'A', 'type', 'msg', 'url', 'size', '1', '10', '', 'a b')}"`,
    '"键"',
    '"__proto__"',
    '"\\u0061"',
    '"a\n"',
    'a',
  )
function value(depth = 0): string {
  const kind = dice(depth > 3 ? 6 : 9)
  if (kind < 3) return word()
  if (kind < 5) return number()
  if (kind < 6) return unlikely(() => oneOf('null', 'true', 'false'), 'nul', 'True', 'undefined')
  if (kind < 7)
    return list(
      many(3, () => value(depth + 1)),
      '[',
      ']',
    )
  return object(many(4, () => member(key(), value(depth + 1))))
}

const bodies = (): string =>
  unlikely(() => list([body(), ...many(1, body)], '[', ']'), '[]', '{}', 'null', '["{}"]', '[{},]', '"[{}]"')
const body = (): string => object([member('"type"', '"txt"'), ...many(2, () => member(key(), value(1)))])
const payload = (): string =>
  unlikely(
    () =>
      object([
        member('"bodies"', bodies()),
        member('"ext"', unlikely(value, '{ }', 'null', '"{}"', '[]')),
        ...many(2, () =>
          member(
            unlikely(() => '"from"', '"meta"', '"bodies"', '"ext"', '"ack_message_id"'),
            value(2),
          ),
        ),
      ]),
    '"{}"',
    'null',
    '[]',
    '{}',
  )
const record = (): string =>
  object([
    member(
      '"msg_id"',
      unlikely(() => '"5I02W-16"', '""', '"é"', '"a\\"b"', '7', '12345678901234567890', 'null'),
    ),
    member(
      '"timestamp"',
      unlikely(() => oneOf('"1403099033211"', '1403099033211'), '""', '" 5"', '1.5', '-1', '"0x10"', '1e12'),
    ),
    member(
      '"chat_type"',
      unlikely(() => '"chat"', value()),
    ),
    member('"payload"', payload()),
    ...many(2, () =>
      member(
        unlikely(
          () => oneOf('"from"', '"to"', '"direction"'),
          '"recall_id"',
          '"ext"',
          '"bodies"',
          '"msg_id"',
          '"payload"',
        ),
        value(1),
      ),
    ),
  ])

test('whatever a record is made of and however it is written, the scan says what the parser says, or nothing', () => {
  let filed = 0
  for (let run = 0; run < 20_000; run++) {
    const bytes = Buffer.from(record())
    if (dice(4) === 0) bytes[dice(bytes.length)] = dice(256)
    const quick = quickIdentity(bytes)
    if (quick === null) continue
    filed++
    assert.deepEqual(quick, identifyParsed(bytes), bytes.toString())
  }
  assert.ok(filed > 5_000, `only ${filed} were filed by the scan`)
})
