import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ChatfeedError } from '../../../../../src/errors.ts'
import { understand } from '../../../../../src/providers/polyv/message/message.ts'

const item = {
  id: '9b7b0d20-12b7-11eb-8860-43fdec7e6710',
  time: 1603186536120,
  content: 'hello',
  msgType: '',
  roomId: '157468202',
  status: 'pass',
  user: { nick: '小月', uid: 'AB12', userId: 'u1', pic: '//s1.videocc.net/face.png', userType: 'student' },
}

const read = (text: string, origin?: string) => understand(Buffer.from(text), 'app1', origin)
const of = (change: Record<string, unknown>, origin?: string) =>
  read(JSON.stringify({ ...item, ...change }), origin)
const dataOf = (change: Record<string, unknown>): unknown => JSON.parse(of(change).data ?? 'null')

const image = (url: string, more: Record<string, unknown> = {}) => ({
  role: 'original',
  url,
  resolvedUrl: url,
  name: null,
  mimeType: null,
  size: null,
  width: null,
  height: null,
  durationSeconds: null,
  state: 'linked',
  sha256: null,
  archiveKey: null,
  ...more,
})

test('the documented sample of getHistory is understood whole', () => {
  const sample =
    '{"accountId":"ee7fe7fbda","clientIP":"","content":"123","event":"","id":"9b7b0d20-12b7-11eb-8860-43fdec7e6710",' +
    '"image":"","msgType":"","quote":"","roomId":"157468202","sessionId":"","time":1603186536120,"user":{"actor":"管理员",' +
    '"banned":false,"channelId":"1574682","clientIp":"","nick":"管理员","pic":"//s1.videocc.net/face.png",' +
    '"roomId":"157468201","sessionId":"fnnjgog6vi","uid":"46a6"}}'
  assert.deepEqual(read(sample), {
    messageId: '9b7b0d20-12b7-11eb-8860-43fdec7e6710',
    conversation: { kind: 'room', id: '157468202' },
    sender: { id: '46a6', name: '管理员', role: null, avatar: 'https://s1.videocc.net/face.png' },
    recipient: null,
    sentAt: 1603186536120,
    kind: 'text',
    providerType: '',
    text: '123',
    attachments: [],
    location: null,
    status: 'visible',
    session: 'fnnjgog6vi',
    refersTo: null,
    data: '{"actor":"管理员"}',
  })
})

test('the documented sample of getHistoryByPage is understood: misspelt type 0, a role in quotation marks', () => {
  const message = read(
    '{"clientIP":"","content":"ss","event":"0","id":"29451af0-e936-11e7-b267-81b6b5e6b627","image":"","msyType":"0",' +
      '"roomId":"110867","time":1514180448799,"user":{"banned":false,"clientIp":"203.0.113.29","nick":"游客",' +
      '"pic":"http://www.polyv.net/images/effect/effect-device.png","roomId":"110867","uid":"P-X2nETUdWGEGmEJEqL8",' +
      '"userId":"4b6c3fba-5774-4807-a34e-bb9bc306236e","userType":"slice"},"userType":"\\"slice\\""}',
  )
  assert.deepEqual([message.kind, message.providerType, message.text, message.data], ['text', '', 'ss', null])
  assert.deepEqual(message.sender, {
    id: '4b6c3fba-5774-4807-a34e-bb9bc306236e',
    name: '游客',
    role: 'slice',
    avatar: 'http://www.polyv.net/images/effect/effect-device.png',
  })
})

test('the documented sample of get-speak-list is understood: the user is JSON text, absent values are null', () => {
  const user = {
    banned: false,
    channelId: '2523307',
    customize: 0,
    nick: 'a',
    uid: 'nhyc',
    userId: '1631003162428',
  }
  const message = of({
    content: '1',
    user: JSON.stringify(user),
    roomId: null,
    msgType: null,
    userType: 'slice',
    sessionId: null,
    quote: null,
    image: '',
  })
  assert.deepEqual(message.conversation, { kind: 'room', id: '2523307' })
  assert.deepEqual(message.sender, { id: '1631003162428', name: 'a', role: 'slice', avatar: null })
  assert.deepEqual(
    [message.session, message.refersTo, message.data, message.kind],
    [null, null, null, 'text'],
  )
})

test('HTML entities in text are decoded once, with and without their semicolon', () => {
  const cases: [string, string][] = [
    ['a &lt; b &amp;&amp; c &gt; d', 'a < b && c > d'],
    ['&quot;你好&quot; &#39;x&#39;', '"你好" \'x\''],
    ['1 &lt 2, 3 &gt 2', '1 < 2, 3 > 2'],
    ['&#39it&#39s', "'it's"],
    ['&yen;5 &yen 6', '¥5 ¥ 6'],
    ['&amp;lt;b&amp;gt;', '&lt;b&gt;'],
    ['AT&T & Co', 'AT&T & Co'],
    ['if (a&ltb &amp&amp b&gt=c)', 'if (a<b && b>=c)'],
    ['&ldquo;x&rdquo;&hellip; &#x4f60;&#22909;', '“x”… 你好'],
    ['a&nbsp;b&nbspc', 'a\u00a0b\u00a0c'],
    ['http://h.example/?a=1&copy=2&quote=3&regionId=4', 'http://h.example/?a=1&copy=2&quote=3&regionId=4'],
    ['http://h.example/?a=1&amp;lt=2', 'http://h.example/?a=1&lt=2'],
    ['&unknown; &; & &#xZZ;', '&unknown; &; & &#xZZ;'],
  ]
  for (const [content, text] of cases) assert.equal(of({ content }).text, text)
})

test('plain talk stays talk, even when it looks like JSON', () => {
  for (const content of ['{"a":1}', '{nonsense', '[1,2]', '{"url":"no link","name":"x"}']) {
    assert.deepEqual([of({ content }).kind, of({ content }).text], ['text', content])
  }
  assert.equal(of({ content: '  ' }).text, null)
  assert.equal(of({ content: null }).text, null)
})

test('nobody can type a reward or a red packet: text with an empty type is talk, an object’s own word counts', () => {
  for (const msgSource of ['reward', 'redpaper', 'chatImg']) {
    const content = { msgSource, content: '66', rewardContent: '66' }
    const typed = of({ content: JSON.stringify(content) })
    assert.deepEqual([typed.kind, typed.text], ['text', JSON.stringify(content)])
    assert.notEqual(of({ content }).kind, 'text')
  }
})

test('entities are decoded in text only: data, names and links stay as they came', () => {
  const content = { url: '//h.example/?a=1&amp;b=2', name: 'a &lt; b.pdf' }
  const message = of({ msgType: 'file', content, user: { nick: 'A &amp; B' } })
  assert.equal(message.sender.name, 'A &amp; B')
  assert.equal(message.attachments[0]?.url, 'https://h.example/?a=1&amp;b=2')
  assert.match(message.data ?? '', /a &lt; b/)
})

test('words of the clients for known things are known', () => {
  const kinds = ['speak', 'image', 'emotion', 'redpaperReceive'].map(
    (msgType) => of({ msgType, content: { url: '//h.example/a.png' } }).kind,
  )
  assert.deepEqual(kinds, ['other', 'image', 'sticker', 'red_packet'])
  assert.deepEqual([of({ msgType: 'speak' }).kind, of({ msgType: 'speak' }).text], ['text', 'hello'])
})

test('an image address beside any body is an attachment, one that is no link is data', () => {
  for (const msgType of ['', 'redpaper', 'reward', 'sing', 'custom']) {
    assert.equal(of({ msgType, image: '//h.example/a.png' }).attachments.length, 1, msgType)
    assert.match(of({ msgType, image: 'a.png' }).data ?? '', /"image":"a.png"/)
  }
})

test('truth and numbers as content are text', () => {
  assert.equal(of({ content: true }).text, 'true')
  assert.equal(of({ content: 66 }).text, '66')
  assert.equal(of({ msgType: 'reward', content: { rewardContent: 6.66, goodNum: '2' } }).text, '6.66')
})

test('a picture whose body is its address alone is an image with that address', () => {
  const message = of({ msgType: 'chatImg', content: '//liveimages.videocc.net/a.png' })
  assert.equal(message.kind, 'image')
  assert.equal(message.attachments[0]?.url, 'https://liveimages.videocc.net/a.png')
})

test('a status is known in capital letters too', () => {
  assert.equal(of({ status: 'PASS' }).status, 'visible')
  assert.equal(of({ status: 'DELETE' }).status, 'deleted')
})

test('chatImg as object and as JSON text is an image with its size', () => {
  const content = {
    id: 'i1',
    msgSource: 'chatImg',
    size: { width: 640, height: '480' },
    type: 'chatImg',
    uploadImgUrl: '//h.example/a.png',
  }
  for (const value of [content, JSON.stringify(content)]) {
    const message = of({ msgType: 'chatImg', content: value })
    assert.deepEqual([message.kind, message.text, message.providerType], ['image', null, 'chatImg'])
    assert.deepEqual(message.attachments, [image('https://h.example/a.png', { width: 640, height: 480 })])
  }
  assert.equal(of({ msgType: '', content }).kind, 'image')
  assert.equal(of({ msgType: 'chatImg', content: { ...content, type: 'emotion' } }).kind, 'sticker')
})

test('a width that is no count of pixels is left out, and the message stays readable', () => {
  for (const width of [2_147_483_647.5, 3e9, '1e400', 0.4, -1, 'wide']) {
    const content = { uploadImgUrl: 'https://h.example/a.png', size: { width, height: 480 } }
    const message = of({ msgType: 'chatImg', content })
    assert.deepEqual(message.attachments, [image('https://h.example/a.png', { width: null, height: 480 })])
  }
})

test('an item with an image address and no words is an image', () => {
  const message = of({ content: '', image: 'http://h.example/b.png' })
  assert.equal(message.kind, 'image')
  assert.deepEqual(message.attachments, [image('http://h.example/b.png')])
  assert.equal(of({ content: 'look', image: '//h.example/b.png' }).kind, 'text')
})

test('a red packet gives its words, spelt either way, as body or flat on the item', () => {
  for (const change of [
    { content: { content: '恭喜发财', number: 5, totalAmount: 1.5, type: 'rain' } },
    { content: { conetnt: '恭喜发财', number: 5 } },
    { content: '恭喜发财', number: 5, redpackId: 'r1' },
  ]) {
    const message = of({ msgType: 'redpaper', ...change })
    assert.deepEqual([message.kind, message.text], ['red_packet', '恭喜发财'])
    assert.match(message.data ?? '', /"number":5/)
  }
  const taken = of({ msgType: 'get_redpaper', content: { nick: '小月' }, user: null })
  assert.deepEqual([taken.kind, taken.providerType, taken.text], ['red_packet', 'get_redpaper', null])
})

test('a reward comes from its giver, not from the service’s user 1', () => {
  const content = {
    unick: '林月',
    uimg: '//h.example/f.png',
    rewardContent: '鲜花',
    goodNum: '2',
    rewardUser: { userId: 'lin' },
  }
  const message = of({ msgType: 'reward', content, user: { uid: '1', nick: 'system' } })
  assert.deepEqual([message.kind, message.text], ['reward', '鲜花'])
  assert.deepEqual(message.sender, { id: 'lin', name: '林月', role: null, avatar: 'https://h.example/f.png' })
  assert.deepEqual(dataOf({ msgType: 'reward', content, user: null }), { content })
})

test('custom messages keep their body; the service’s user 2 is no person', () => {
  const content = {
    EVENT: 'QUIZ',
    version: 1,
    emitMode: 0,
    tip: '成绩',
    data: { score: 9 },
    msgSource: 'custom',
  }
  const message = of({ msgType: 'custom', content })
  assert.deepEqual([message.kind, message.text], ['custom', '成绩'])
  assert.deepEqual(dataOf({ msgType: 'custom', content }), { content })
  for (const msgType of ['customerMessage', 'customMessage']) {
    const sent = of({ msgType, content: '课程更新', image: '//h.example/c.png', user: { uid: '2' } })
    assert.deepEqual([sent.kind, sent.text, sent.attachments.length], ['custom', '课程更新', 1])
    assert.deepEqual(sent.sender, { id: null, name: null, role: 'system', avatar: null })
  }
})

test('a file is known by its type or by its shape', () => {
  const content = '{"url":"//h.example/讲义.pdf","name":"讲义.pdf"}'
  for (const msgType of ['', 'file']) {
    const message = of({ msgType, content })
    assert.deepEqual([message.kind, message.text], ['file', '讲义.pdf'])
    assert.deepEqual(message.attachments, [image('https://h.example/讲义.pdf', { name: '讲义.pdf' })])
  }
})

test('types new to us are other, with their body', () => {
  for (const msgType of ['motivationLike', 'constructor', '__proto__']) {
    const message = of({ msgType, content: { n: 1 } })
    assert.deepEqual(
      [message.kind, message.providerType, message.data],
      ['other', msgType, '{"content":{"n":1}}'],
    )
  }
  assert.equal(of({ msgType: 'sing', content: 'la la' }).text, 'la la')
  assert.equal(of({ content: { n: 1 } }).kind, 'other')
  assert.equal(of({ content: [1, 2] }).kind, 'other')
})

test('status words are translated; a new word is not taken for visible', () => {
  assert.equal(of({ status: 'pass' }).status, 'visible')
  assert.equal(of({ status: 'censor' }).status, 'pending')
  assert.equal(of({ status: 'delete' }).status, 'deleted')
  assert.equal(of({ status: 'toString' }).status, 'pending')
  assert.deepEqual(dataOf({ status: 'frozen' }), { status: 'frozen' })
})

test('an item without status is visible only if it was asked for as passed', () => {
  const origin = `2477096/2026112310#${item.id}`
  assert.equal(of({ status: '' }, origin).status, 'visible')
  assert.equal(of({ status: undefined }).status, 'visible')
  assert.equal(of({ status: null }, `${origin}?status=censor`).status, 'pending')
  assert.equal(of({ status: 'delete' }, `${origin}?status=censor`).status, 'deleted')
})

test('private chat of the administrators is marked, told by the item or by the query', () => {
  assert.deepEqual(dataOf({ sourceType: 'extend' }), { sourceType: 'extend' })
  assert.equal(of({}, `1/2026112310#${item.id}?source=extend`).data, '{"sourceType":"extend"}')
  assert.equal(of({ sourceType: 'public' }).data, null)
})

test('a quote that is an id refers to the message; any other quote is data', () => {
  const id = 'f14e71f0-0fb5-11ec-912a-f7bfa2a37ef8'
  assert.equal(of({ quote: id }).refersTo, `polyv:app1:${id}`)
  assert.equal(of({ quote: id }).data, null)
  assert.equal(of({ quote: { id, nick: 'a', content: 'b' } }).refersTo, `polyv:app1:${id}`)
  const quote = { userId: 'u2', nick: 'a', content: 'b', image: { url: '//h/x.png', width: 1, height: 2 } }
  assert.equal(of({ quote }).refersTo, null)
  assert.deepEqual(dataOf({ quote }), { quote })
  assert.deepEqual(dataOf({ quote: JSON.stringify(quote) }), { quote })
  assert.deepEqual(dataOf({ quote: 'as he said' }), { quote: 'as he said' })
  assert.equal(
    of({ quote: JSON.stringify({ id: 9007199254740993n.toString() }) }).refersTo,
    'polyv:app1:9007199254740993',
  )
  assert.equal(of({ quote: { msgId: 12345 } }).refersTo, 'polyv:app1:12345')
  assert.equal(of({ quote: id.replaceAll('-', '') }).refersTo, `polyv:app1:${id.replaceAll('-', '')}`)
  for (const none of ['', null, 'null', '0', {}, '{}']) {
    assert.deepEqual([of({ quote: none }).refersTo, of({ quote: none }).data], [null, null])
  }
})

test('the room is the item’s, else the channel, else the channel that was asked', () => {
  const room = (change: Record<string, unknown>, origin?: string): string =>
    of(change, origin).conversation.id
  assert.equal(room({ roomId: 157468202 }), '157468202')
  assert.equal(room({ roomId: '', channelId: 15 }), '15')
  assert.equal(room({ roomId: null, user: { channelId: 16 } }), '16')
  assert.equal(room({ roomId: 0, channelId: '0', user: { roomId: '17' } }), '17')
  assert.equal(room({ roomId: null }, `2477096/2026112310#${item.id}`), '2477096')
})

test('a user may be missing, text or named nickname', () => {
  assert.deepEqual(of({ user: null }).sender, { id: null, name: null, role: null, avatar: null })
  assert.equal(of({ user: 'nobody' }).sender.name, null)
  assert.equal(of({ user: { nickname: '小方' } }).sender.name, '小方')
  assert.equal(of({ time: '1603186536120' }).sentAt, 1603186536120)
})

test('a user as JSON text is a user, whatever is missing in it', () => {
  const text = '{"nick":"小方","userId":9007199254740993,"userType":"\\"viewer\\"","uid":"S1"}'
  assert.deepEqual(of({ user: text }).sender, {
    id: '9007199254740993',
    name: '小方',
    role: 'viewer',
    avatar: null,
  })
  for (const wild of ['', '{', '[]', 'null', 7, true, [], { nick: null, uid: null }])
    assert.deepEqual(of({ user: wild }).sender, { id: null, name: null, role: null, avatar: null })
})

test('big numbers and members without a field of their own come through in data', () => {
  const data = read(
    '{"id":"a","time":1603186536120,"roomId":"1","msgType":"custom","content":{"data":9007199254740993},"overLen":12.5}',
  ).data
  assert.equal(data, '{"content":{"data":9007199254740993},"overLen":12.5}')
})

test('what cannot be understood says why, without its words', () => {
  const cases: [string, string][] = [
    ['{"id":"a', 'not_json'],
    ['[]', 'not_json'],
    ['null', 'not_json'],
    ['12', 'not_json'],
    ['"private words"', 'not_json'],
    ['{"content":"private words"}', 'no_id'],
    ['{"id":0,"content":"private words"}', 'no_id'],
    ['{"id":"a","content":"private words","roomId":"1"}', 'no_time'],
    ['{"id":"a","content":"private words","time":1603186536120}', 'no_room'],
  ]
  for (const [text, code] of cases) {
    assert.throws(
      () => read(text),
      (error) =>
        error instanceof ChatfeedError &&
        error.remedy === 'message' &&
        error.code === code &&
        !error.message.includes('private'),
    )
  }
})

test('a member that is called like the prototype of objects goes into data as any other', () => {
  const text = JSON.stringify(item).replace('{', '{"__proto__":12345678901234567890,"zz":1,')
  assert.equal(read(text).data, '{"__proto__":12345678901234567890,"zz":1}')
})
