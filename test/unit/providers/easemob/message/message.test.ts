import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ChatfeedError } from '../../../../../src/errors.ts'
import { identify } from '../../../../../src/providers/easemob/message/identity.ts'
import { understand as understandBytes } from '../../../../../src/providers/easemob/message/message.ts'

const understand = (record: unknown) =>
  understandBytes(Buffer.from(typeof record === 'string' ? record : JSON.stringify(record)), 'acme#helpdesk')

const record = (
  bodies: unknown,
  more: Record<string, unknown> = {},
  payload: Record<string, unknown> = {},
) => ({
  chat_type: 'chat',
  payload: { ext: {}, bodies, from: 'lin.yue', to: 'agent.xu', ...payload },
  from: 'lin.yue',
  to: 'agent.xu',
  msg_id: '469166209653277176',
  timestamp: 1526801073356,
  direction: 'outgoing',
  ...more,
})
const filesUrl = 'https://a1.easemob.com/acme/helpdesk/chatfiles'
const bare = {
  mimeType: null,
  size: null,
  width: null,
  height: null,
  durationSeconds: null,
  state: 'linked',
  sha256: null,
  archiveKey: null,
}

test('a text of a file is understood whole', () => {
  assert.deepEqual(
    understand(record([{ msg: '你好\n', type: 'txt' }], {}, { ext: { weichat: { originType: 'webim' } } })),
    {
      messageId: '469166209653277176',
      conversation: { kind: 'direct', id: 'agent.xu|lin.yue' },
      sender: { id: 'lin.yue', name: null, role: null, avatar: null },
      recipient: 'agent.xu',
      sentAt: 1526801073356,
      kind: 'text',
      providerType: 'txt',
      text: '你好\n',
      attachments: [],
      location: null,
      status: 'visible',
      session: null,
      refersTo: null,
      data: '{"ext":{"weichat":{"originType":"webim"}}}',
    },
  )
})

test('a row of the pull interface has its people outside only', () => {
  const { conversation, sender, recipient, data } = understand({
    uuid: '9060a01e-0000-0000-0000-000000000000',
    type: 'chatmessage',
    created: 1436764265771,
    timestamp: 1436764265528,
    from: 'admin',
    msg_id: '82461076486095412',
    to: 'tobias',
    chat_type: 'chat',
    payload: { bodies: [{ type: 'txt', msg: 'hi' }] },
  })
  assert.deepEqual([conversation.id, sender.id, recipient, data], ['admin|tobias', 'admin', 'tobias', null])
})

test('the people of the payload stand before the outer ones', () => {
  const { sender, recipient, conversation } = understand(record([], { from: 'x#internal', to: 'y#internal' }))
  assert.deepEqual([sender.id, recipient, conversation.id], ['lin.yue', 'agent.xu', 'agent.xu|lin.yue'])
})

test('direct ids are sorted by code unit, whoever speaks', () => {
  const id = (from: string, to: string) => understand(record([], {}, { from, to })).conversation.id
  assert.equal(id('b', 'B'), 'B|b')
  assert.equal(id('B', 'b'), 'B|b')
  assert.equal(id('10', '9'), '10|9')
  assert.equal(id('é', 'z'), 'z|é')
  assert.equal(id('me', 'me'), 'me|me')
})

test('groups and rooms are named by their id', () => {
  const of = (chatType: string) =>
    understand(record([], { chat_type: chatType }, { to: '214586203897857' })).conversation
  assert.deepEqual(of('groupchat'), { kind: 'group', id: '214586203897857' })
  assert.deepEqual(of('group'), { kind: 'group', id: '214586203897857' })
  assert.deepEqual(of('chatroom'), { kind: 'room', id: '214586203897857' })
})

test('a picture of the old documents has a thumbnail, both with their secrets', () => {
  const { kind, text, attachments, data } = understand(
    record([
      {
        type: 'img',
        url: `${filesUrl}/65e54a4a`,
        filename: 'test1.jpg',
        thumb: `${filesUrl}/496334fa`,
        secret: 'DR+M8/=',
        thumb_secret: 'Th-_1',
      },
    ]),
  )
  assert.equal(kind, 'image')
  assert.equal(text, 'test1.jpg')
  assert.equal(data, null)
  assert.deepEqual(attachments, [
    {
      role: 'original',
      url: `${filesUrl}/65e54a4a`,
      resolvedUrl: `${filesUrl}/65e54a4a?share-secret=DR%2BM8%2F%3D`,
      name: 'test1.jpg',
      ...bare,
    },
    {
      role: 'thumbnail',
      url: `${filesUrl}/496334fa`,
      resolvedUrl: `${filesUrl}/496334fa?share-secret=Th-_1`,
      name: null,
      ...bare,
    },
  ])
})

test('a picture of the new documents has size and bytes', () => {
  const [original] = understand(
    record([
      {
        file_length: 128827,
        filename: 'test1.jpg',
        size: { height: 1325, width: 746 },
        type: 'img',
        url: `${filesUrl}/1`,
      },
    ]),
  ).attachments
  assert.deepEqual([original?.size, original?.width, original?.height], [128827, 746, 1325])
  assert.equal(original?.resolvedUrl, `${filesUrl}/1`)
})

test('a video has a length, its size is that of its preview', () => {
  const { attachments } = understand(
    record([
      {
        file_length: 58103,
        filename: '1418105136313.mp4',
        length: 10,
        secret: 'a',
        size: { height: 480, width: 360 },
        thumb: `${filesUrl}/t`,
        thumb_secret: 'b',
        type: 'video',
        url: `${filesUrl}/v`,
      },
    ]),
  )
  const [original, preview] = attachments
  assert.deepEqual([original?.size, original?.durationSeconds, original?.width], [58103, 10, null])
  assert.deepEqual([preview?.role, preview?.width, preview?.height], ['thumbnail', 360, 480])
})

test('audio and files carry name, bytes and length', () => {
  const audio = understand(
    record([{ file_length: 6630, filename: 'test1.amr', length: '10', type: 'audio', url: `${filesUrl}/a` }]),
  )
  assert.deepEqual(
    [audio.kind, audio.attachments[0]?.durationSeconds, audio.text],
    ['audio', 10, 'test1.amr'],
  )
  const file = understand(
    record([
      { file_length: 3279, file_name: 'record.md', type: 'file', url: `//a1.easemob.com/f?x=1`, secret: 's' },
    ]),
  )
  assert.equal(file.kind, 'file')
  assert.equal(file.attachments[0]?.name, 'record.md')
  assert.equal(file.attachments[0].url, 'https://a1.easemob.com/f?x=1')
  assert.equal(file.attachments[0].resolvedUrl, 'https://a1.easemob.com/f?x=1&share-secret=s')
})

test('an empty or impossible url is no attachment', () => {
  for (const url of ['', 'chatfiles/1', 'file:///etc/passwd', 'http://', 5, null]) {
    assert.deepEqual(understand(record([{ type: 'img', url }])).attachments, [], String(url))
  }
})

test('a location has numbers, though they came as text', () => {
  const place = { addr: '西城区西便门桥 ', type: 'loc' }
  const expected = { latitude: 39.9053, longitude: 116.36302, address: '西城区西便门桥 ' }
  const numbers = understand(record([{ ...place, lat: 39.9053, lng: 116.36302 }]))
  assert.deepEqual([numbers.kind, numbers.location, numbers.text], ['location', expected, '西城区西便门桥 '])
  assert.deepEqual(understand(record([{ ...place, lat: '39.9053', lng: '116.36302' }])).location, expected)
  assert.equal(understand(record([{ ...place, lat: '', lng: 'east' }])).location, null)
  const long = understand(
    '{"msg_id":"1","timestamp":1,"from":"a","payload":{"bodies":[{"type":"loc","lat":39.90530000000000000001,"lng":1}]}}',
  )
  assert.deepEqual(long.location, { latitude: 39.9053, longitude: 1, address: null })
})

test('a command is no text and keeps its action', () => {
  const { kind, text, data } = understand(record([{ action: '1601', type: 'cmd' }]))
  assert.deepEqual([kind, text, data], ['command', null, '{"bodies":[{"action":"1601"}]}'])
})

test('custom exts come as one object, whichever form they had', () => {
  const of = (exts: Record<string, unknown>) =>
    understand(record([{ customEvent: 'vote', type: 'custom', ...exts }])).data
  const expected = '{"bodies":[{"customEvent":"vote","customExts":{"name":1,"VACCINE":0}}]}'
  const list = [{ name: 1 }, { VACCINE: 0 }]
  assert.equal(of({ customExts: { name: 1, VACCINE: 0 } }), expected)
  assert.equal(of({ customExts: list }), expected)
  assert.equal(of({ customExts: { name: 1, VACCINE: 0 }, 'v2:customExts': list }), expected)
  assert.equal(of({ 'v2:customExts': list }), expected)
  assert.match(of({ customExts: [{ a: 1 }, { a: 2 }] }) ?? '', /"customExts":\[\{"a":1\},\{"a":2\}\]/)
  assert.match(
    of({ customExts: { a: 1 }, 'v2:customExts': [{ b: 2 }] }) ?? '',
    /"v2:customExts":\[\{"b":2\}\]/,
  )
})

test('joined messages are known without a type and with the type of old clients', () => {
  const combine = {
    combineLevel: 1,
    file_length: 9,
    filename: 'c',
    secret: 's',
    subType: 'sub_combine',
    summary: '林月: 你好',
    title: '聊天记录',
    url: `${filesUrl}/c`,
  }
  const plain = understand(record([combine]))
  assert.deepEqual([plain.kind, plain.providerType, plain.text], ['combined', '', '聊天记录\n林月: 你好'])
  assert.equal(plain.attachments.length, 1)
  const compatible = understand(record([{ ...combine, type: 'txt', msg: '[请升级]' }]))
  assert.deepEqual(
    [compatible.kind, compatible.providerType, compatible.text],
    ['combined', 'txt', '聊天记录\n林月: 你好'],
  )
  assert.equal(understand(record([{ combineLevel: 2, title: 't' }])).kind, 'combined')
})

test('several bodies in one message are all understood', () => {
  const { kind, text, attachments, data } = understand(
    record([
      { type: 'txt', msg: '看这个' },
      { type: 'img', url: `${filesUrl}/1`, filename: 'a.png' },
      { type: 'cmd', action: 'x' },
    ]),
  )
  assert.deepEqual([kind, text, attachments.length], ['text', '看这个\na.png', 1])
  assert.equal(data, '{"bodies":[{},{"type":"img"},{"type":"cmd","action":"x"}]}')
})

test('a second place is kept in the data', () => {
  const { location, data } = understand(
    record([
      { type: 'loc', lat: 1, lng: 2, addr: 'a' },
      { type: 'loc', lat: 3, lng: 4, addr: 'b' },
    ]),
  )
  assert.deepEqual(location, { latitude: 1, longitude: 2, address: 'a' })
  assert.equal(data, '{"bodies":[{},{"type":"loc","lat":3,"lng":4}]}')
})

const text = { kind: 'text', providerType: 'txt', text: 'hi', data: '{"ext":{"k":1}}' }
const plain = ({ kind, providerType, text, data }: ReturnType<typeof understand>) => ({
  kind,
  providerType,
  text,
  data,
})
/** Records that say the same in another form than today's files. */
const forms: Record<string, Record<string, unknown>> = {
  'bodies and ext without a payload': {
    payload: undefined,
    bodies: [{ type: 'txt', msg: 'hi' }],
    ext: { k: 1 },
  },
  'ext beside the payload': { payload: { bodies: [{ type: 'txt', msg: 'hi' }] }, ext: { k: 1 } },
  'ext beside an empty one': { payload: { bodies: [{ type: 'txt', msg: 'hi' }], ext: {} }, ext: { k: 1 } },
  'bodies beside an empty payload': { payload: {}, bodies: [{ type: 'txt', msg: 'hi' }], ext: { k: 1 } },
  'bodies on both levels': {
    payload: { bodies: [{ type: 'txt', msg: 'hi' }], ext: { k: 1 } },
    bodies: [{ msg: 'hi', type: 'txt' }],
  },
  'a payload as JSON text': { payload: '{"bodies":[{"msg":"hi","type":"txt"}],"ext":{"k":1}}' },
  'bodies as JSON text': { payload: { bodies: ' [{"msg":"hi","type":"txt"}]', ext: { k: 1 } } },
  'a body as JSON text': { payload: { bodies: ['{"msg":"hi","type":"txt"}'], ext: { k: 1 } } },
  'one body without a list': { payload: { bodies: { type: 'txt', msg: 'hi' }, ext: { k: 1 } } },
  'a payload that is the bodies': { payload: [{ type: 'txt', msg: 'hi' }], ext: { k: 1 } },
  'a payload that is the body': { payload: { type: 'txt', msg: 'hi', ext: { k: 1 }, from: 'lin.yue' } },
  'a record that is the body': { payload: undefined, type: 'txt', msg: 'hi', ext: { k: 1 } },
}

for (const [form, members] of Object.entries(forms)) {
  test(`${form}: the same message with the same fingerprint`, () => {
    const today = record([{ type: 'txt', msg: 'hi' }], {}, { ext: { k: 1 } })
    assert.deepEqual(plain(understand({ ...today, ...members })), text)
    const of = (value: unknown) => identify(Buffer.from(JSON.stringify(value)))
    assert.deepEqual(of({ ...today, ...members }), of(today))
    const changed = JSON.parse(JSON.stringify({ ...today, ...members }).replaceAll('hi', 'ho')) as unknown
    assert.notDeepEqual(of(changed).fingerprint, of(today).fingerprint)
  })
}

test('pictures, sounds and places without a payload are understood as the old document prints them', () => {
  const old = (body: Record<string, unknown>) =>
    understand({ from: 'test1', to: 'test2', msg_id: '1', timestamp: 1403099033211, bodies: [body] })
  const picture = old({
    type: 'img',
    url: `${filesUrl}/65e54a4a`,
    filename: 'test1.jpg',
    thumb: `${filesUrl}/496334fa`,
    secret: 'S1',
    thumb_secret: 'S2',
  })
  assert.deepEqual(
    [picture.kind, picture.text, picture.attachments.map(({ resolvedUrl }) => resolvedUrl), picture.data],
    [
      'image',
      'test1.jpg',
      [`${filesUrl}/65e54a4a?share-secret=S1`, `${filesUrl}/496334fa?share-secret=S2`],
      null,
    ],
  )
  const sound = old({ type: 'audio', url: `${filesUrl}/0637`, filename: 'a.amr', length: 10, secret: 'S' })
  assert.deepEqual([sound.kind, sound.attachments[0]?.durationSeconds, sound.data], ['audio', 10, null])
  const place = old({ type: 'loc', addr: '西城区西便门桥 ', lat: 39.9053, lng: 116.36302 })
  assert.deepEqual(
    [place.kind, place.location?.latitude, place.text, place.data],
    ['location', 39.9053, '西城区西便门桥 ', null],
  )
})

test('a member in a form nobody knows is kept in the data, as it came', () => {
  const cases: [body: unknown, expected: Partial<ReturnType<typeof understand>>][] = [
    [
      { type: 'txt', msg: 12345 },
      { kind: 'text', text: '12345', data: null },
    ],
    [
      { type: 'txt', msg: { a: 'x' } },
      { kind: 'text', text: null, data: '{"bodies":[{"msg":{"a":"x"}}]}' },
    ],
    [
      { type: 'loc', lat: 'north', lng: 999, addr: 'zz' },
      { location: null, text: 'zz', data: '{"bodies":[{"lat":"north","lng":999}]}' },
    ],
    ['just text', { kind: 'other', providerType: '', text: 'just text', data: '{"bodies":["just text"]}' }],
    [5, { kind: 'other', text: null, data: '{"bodies":[5]}' }],
    [
      { type: { of: 'x' }, msg: 'hi' },
      { kind: 'other', providerType: '', text: 'hi', data: '{"bodies":[{"type":{"of":"x"}}]}' },
    ],
    [
      { type: 'img', url: 'chatfiles/1', file_length: 5, thumb: 7, size: { width: 1 }, secret: 's' },
      {
        attachments: [],
        data: '{"bodies":[{"url":"chatfiles/1","file_length":5,"thumb":7,"size":{"width":1}}]}',
      },
    ],
    [
      { type: 'file', url: `${filesUrl}/1`, file_length: 'big', length: 3, size: { width: -1, depth: 2 } },
      { data: '{"bodies":[{"file_length":"big","length":3,"size":{"width":-1,"depth":2}}]}' },
    ],
  ]
  for (const [body, expected] of cases) {
    const understood = understand(record([body]))
    for (const [name, value] of Object.entries(expected)) {
      assert.deepEqual(understood[name as keyof typeof understood], value, JSON.stringify(body))
    }
  }
})

test('what stands around the bodies and is not understood is kept in the data', () => {
  const data = (more: Record<string, unknown>, payload?: Record<string, unknown>) =>
    understand(record([], more, payload)).data
  assert.equal(data({ chat_type: 'whisper' }), '{"record":{"chat_type":"whisper"}}')
  assert.equal(data({ from: { id: 'x' }, to: 'other' }), '{"record":{"from":{"id":"x"},"to":"other"}}')
  assert.equal(data({ group_id: '5' }), '{"record":{"group_id":"5"}}')
  assert.equal(
    data({ direction: 'sideways', created: 'today' }),
    '{"record":{"direction":"sideways","created":"today"}}',
  )
  assert.equal(data({ priority: 1 }, { priority: 2 }), '{"priority":2,"record":{"priority":1}}')
  assert.equal(data({ priority: 1 }, { record: 2 }), '{"payload":{"record":2},"record":{"priority":1}}')
  assert.equal(data({}, { type: 'poll' }), '{"type":"poll"}')
  assert.equal(data({ ext: { a: 1 } }, { ext: { b: 2 } }), '{"ext":{"b":2},"record":{"ext":{"a":1}}}')
  assert.equal(data({ payload: 'not json {' }), '{"bodies":["not json {"]}')
  const number = '{"msg_id":"1","timestamp":1,"from":"a","payload":12345678901234567890}'
  assert.equal(understand(number).data, '{"bodies":[12345678901234567890]}')
})

test('no leaf of a record vanishes, whatever its form', () => {
  const number = fc.nat({ max: 999_999_999 })
  const leaf = fc.oneof(
    number.map((id) => `leaf${id}x`),
    // Its digits do not fit a double: the mark is taken away with the quotes once the text is written.
    number.map((id) => `\u00019${String(id).padStart(18, '0')}`),
  )
  const { any } = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc.array(tie('any'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('type', 'msg', 'a', 'b', 'url', 'record', 'ext'), tie('any'), {
        maxKeys: 3,
      }),
    ),
  }))
  const link = leaf.map((text) => `https://a1.easemob.com/${text.replace('\u0001', '')}`)
  const bodyNames = [
    ...[
      'msg',
      'addr',
      'filename',
      'file_name',
      'file_length',
      'length',
      'size',
      'lat',
      'lng',
      'thumbFilename',
    ],
    ...['title', 'summary', 'combineLevel', 'customExts', 'v2:customExts', 'action', 'other'],
  ]
  const members = (names: string[]) =>
    Object.fromEntries(names.map((name) => [name, any])) as Record<string, fc.Arbitrary<unknown>>
  const types = ['txt', 'img', 'loc', 'audio', 'video', 'file', 'cmd', 'custom', 'combine', 'poll']
  const knownBody = fc.record(
    {
      ...members(bodyNames),
      type: fc.oneof(fc.constantFrom(...types), any),
      lat: fc.oneof(fc.integer({ min: -90, max: 90 }), any),
      lng: fc.oneof(fc.integer({ min: -180, max: 180 }), any),
      url: fc.oneof(link, any),
      thumb: fc.oneof(link, any),
      subType: fc.oneof(fc.constant('sub_combine'), any),
    },
    { requiredKeys: [] },
  )
  const asText = (value: unknown) => JSON.stringify(value)
  const bodies = fc.oneof(fc.array(fc.oneof(knownBody, any), { maxLength: 3 }), knownBody, any)
  const loose = { ...members(['ext', 'meta', 'ack_message_id', 'edit_message_id', 'unknown']), bodies }
  const payload = fc.record({ ...loose, ...members(['from', 'to', 'type']) }, { requiredKeys: [] })
  const whole = fc.record(
    {
      ...loose,
      ...members(['from', 'to', 'direction', 'group_id', 'groupId', 'recall_id', 'modified']),
      chat_type: fc.oneof(fc.constantFrom('chat', 'groupchat', 'chatroom', 'recall', 'edit'), any),
      type: fc.oneof(fc.constantFrom('chatmessage', ...types), any),
      payload: fc.oneof(payload, payload.map(asText), knownBody, any),
      msg: any,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(whole, (members) => {
      const written = JSON.stringify({ ...members, msg_id: '1', timestamp: 1 })
        // In a payload that is JSON text itself the mark is escaped once more.
        .replace(/\\"\\\\u0001(\d+)\\"|"\\u0001(\d+)"/g, '$1$2')
      try {
        const { data, ...fields } = understand(written)
        const told = `${JSON.stringify(fields)} ${data}`
        for (const [found] of written.matchAll(/leaf\d+x|9\d{18}/g)) {
          assert.ok(told.includes(found), `${found} of ${written} is not in ${told}`)
        }
      } catch (error) {
        if (!(error instanceof ChatfeedError && error.code === 'no_conversation')) throw error
      }
    }),
    { numRuns: 3000 },
  )
})

test('a type nobody knows is kept as other', () => {
  const { kind, providerType, text, data } = understand(
    record([{ type: 'poll', msg: '周五?', options: [1] }]),
  )
  assert.deepEqual(
    [kind, providerType, text, data],
    ['other', 'poll', '周五?', '{"bodies":[{"options":[1]}]}'],
  )
  assert.equal(understand(record([{ type: 'constructor' }])).kind, 'other')
  assert.equal(understand(record(undefined)).kind, 'other')
  assert.equal(understand(record(['text'])).kind, 'other')
})

test('a recall names the message it takes back', () => {
  const recall = understand(
    record(
      [],
      { chat_type: 'recall', recall_id: '111' },
      { ack_message_id: '111', type: 'groupchat', to: '2145' },
    ),
  )
  assert.deepEqual(
    [recall.kind, recall.refersTo, recall.status, recall.text, recall.providerType],
    ['recall', 'easemob:acme#helpdesk:111', 'visible', null, 'recall'],
  )
  assert.deepEqual(recall.conversation, { kind: 'group', id: '2145' })
  assert.equal(
    understand(record([], { chat_type: 'recall' }, { ack_message_id: '7' })).refersTo,
    'easemob:acme#helpdesk:7',
  )
})

test('a message that turned into its own recall is deleted', () => {
  for (const more of [{ chat_type: 'recall' }, { chat_type: 'recall', recall_id: '469166209653277176' }]) {
    const { kind, status, refersTo } = understand(record([], more))
    assert.deepEqual([kind, status, refersTo], ['recall', 'deleted', null])
  }
})

test('an edit names the message it changes and keeps the new text', () => {
  const edit = understand(
    record(
      [{ type: 'txt', msg: '改好了' }],
      { chat_type: 'edit' },
      { edit_message_id: '111', meta: { edit_msg: { count: 1 } } },
    ),
  )
  assert.deepEqual(
    [edit.kind, edit.refersTo, edit.text, edit.providerType],
    ['edit', 'easemob:acme#helpdesk:111', '改好了', 'txt'],
  )
  assert.match(edit.data ?? '', /"meta":\{"edit_msg":\{"count":1\}\}/)
  const itself = understand(
    record([{ type: 'txt', msg: 'new' }], {}, { edit_message_id: '469166209653277176' }),
  )
  assert.deepEqual([itself.kind, itself.refersTo], ['text', null])
})

test('a quote of the UI kit refers to the quoted message', () => {
  const { refersTo, kind } = understand(
    record([{ type: 'txt', msg: '是' }], {}, { ext: { msgQuote: { msgID: '222', msgType: 'txt' } } }),
  )
  assert.deepEqual([kind, refersTo], ['text', 'easemob:acme#helpdesk:222'])
})

test('ids and numbers beyond 2^53 keep their digits', () => {
  const message = understand(
    '{"msg_id":469166209653277177,"timestamp":"1526801073356","chat_type":"groupchat","from":1,"to":214586203897857123,"payload":{"ext":{"order":12345678901234567891},"bodies":[{"type":"custom","customExts":[{"n":98765432109876543210}]}]}}',
  )
  assert.equal(message.messageId, '469166209653277177')
  assert.equal(message.conversation.id, '214586203897857123')
  assert.equal(message.sender.id, '1')
  assert.equal(message.sentAt, 1526801073356)
  assert.equal(
    message.data,
    '{"ext":{"order":12345678901234567891},"bodies":[{"customExts":{"n":98765432109876543210}}]}',
  )
})

test('no secret reaches the data', () => {
  const { data } = understand(
    record([{ type: 'file', url: `${filesUrl}/1`, secret: 'S3CRET', thumb_secret: 'S3CRET', more: 1 }]),
  )
  assert.equal(data, '{"bodies":[{"more":1}]}')
})

test('what cannot be understood is a message error with a code, and without the text', () => {
  const cases: [string, string][] = [
    ['not json 你好', 'not_json'],
    ['[1]', 'not_json'],
    ['{"timestamp":1,"from":"a"}', 'no_message_id'],
    ['{"msg_id":"1","from":"a"}', 'no_timestamp'],
    ['{"msg_id":"1","timestamp":"soon","from":"a"}', 'no_timestamp'],
    ['{"msg_id":"1","timestamp":1}', 'no_conversation'],
    ['{"msg_id":"1","timestamp":1,"chat_type":"groupchat","from":"a"}', 'no_conversation'],
  ]
  for (const [text, code] of cases) {
    assert.throws(
      () => understand(text),
      (error) =>
        error instanceof ChatfeedError &&
        error.remedy === 'message' &&
        error.code === code &&
        !error.message.includes('你好'),
      text,
    )
  }
})

test('any JSON is either understood or a message error', () => {
  const body = fc.record(
    {
      type: fc.oneof(fc.constantFrom('txt', 'img', 'loc', 'custom', 'video', 'cmd'), fc.jsonValue()),
      msg: fc.jsonValue(),
      url: fc.oneof(fc.webUrl(), fc.jsonValue()),
      size: fc.jsonValue(),
      lat: fc.jsonValue(),
      lng: fc.jsonValue(),
      customExts: fc.jsonValue(),
      secret: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  const any = fc.record(
    {
      msg_id: fc.oneof(fc.string(), fc.jsonValue()),
      timestamp: fc.oneof(fc.integer(), fc.jsonValue()),
      chat_type: fc.oneof(fc.constantFrom('chat', 'groupchat', 'recall', 'edit'), fc.jsonValue()),
      from: fc.oneof(fc.string(), fc.jsonValue()),
      to: fc.jsonValue(),
      payload: fc.oneof(fc.record({ bodies: fc.array(body), ext: fc.jsonValue() }), fc.jsonValue()),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(any, (value) => {
      try {
        const message = understand(value)
        if (message.data !== null) JSON.parse(message.data)
      } catch (error) {
        assert.ok(error instanceof ChatfeedError && error.remedy === 'message', String(error))
      }
    }),
    { numRuns: 1000 },
  )
})
