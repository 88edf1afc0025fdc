import { LosslessNumber } from 'lossless-json'
import { classTalk, people } from '../../../sandbox/phrases.ts'
import type { Random } from '../../../sandbox/random.ts'

interface Body {
  msgType: string
  content: unknown
  image?: string
  quote?: unknown
  /** Socket of the service itself: `1` for rewards, `2` for custom messages. */
  uid?: '1' | '2'
}

type Person = (typeof people)[number]
type Maker = (random: Random, person: Person, roomId: string, filesUrl: string) => Body

const imageUrl = (random: Random, filesUrl: string): string => `${filesUrl}/chat/${random.text(16)}.png`
/** As the service often writes it; a file that is served without TLS could not be found so. */
const protocolRelative = (url: string): string => url.replace(/^https:/, '')
const uuid = (random: Random): string => [8, 4, 4, 4, 12].map((length) => random.text(length)).join('-')

const spelt = (url: string, whole: boolean): string => (whole ? url : protocolRelative(url))

const talk: Maker = (random) => ({ msgType: '', content: escapedTalk(random) })

/** What can be said, with its weight. Shapes: facts of the Polyv docs, samples and official clients. */
const makers: readonly (readonly [weight: number, make: Maker])[] = [
  [70, talk],
  [
    5,
    (random) => {
      const { name, id } = random.pick(people)
      return {
        ...talk(random, people[0], '', ''),
        quote: { userId: id, nick: name, content: classTalk(random) },
      }
    },
  ],
  [3, (random) => ({ ...talk(random, people[0], '', ''), quote: uuid(random) })],
  [
    6,
    (random, _person, roomId, filesUrl) => ({
      msgType: 'chatImg',
      content: {
        id: `${roomId}-${random.text(8)}`,
        msgSource: 'chatImg',
        size: { width: random.integer(200, 1200), height: random.integer(200, 1200) },
        status: 'upLoadingSuccess',
        type: random.chance(0.3) ? 'emotion' : 'chatImg',
        uploadImgUrl: spelt(imageUrl(random, filesUrl), random.chance(0.5)),
      },
    }),
  ],
  [
    1,
    (random) => ({
      msgType: 'redpaper',
      content: {
        content: '恭喜发财，好好学习',
        msgSource: 'redpaper',
        number: random.integer(5, 50),
        redCacheId: random.text(24),
        redpackId: random.text(12),
        totalAmount: random.integer(100, 9_900) / 100,
        type: random.pick(['normal', 'rain']),
      },
    }),
  ],
  [
    2,
    (random, person) => ({
      msgType: 'get_redpaper',
      content: { nick: person.name, redCacheId: random.text(24) },
    }),
  ],
  [
    5,
    (random, person) => ({
      msgType: 'reward',
      uid: '1',
      content: {
        unick: person.name,
        uimg: '//liveimages.videocc.net/defaultImg/avatar/viewer.png',
        rewardContent: random.pick(['鲜花', '咖啡', '66', '6.66']),
        goodNum: random.chance(0.5) ? random.integer(1, 9) : String(random.integer(1, 9)),
        gimg: `//s1.videocc.net/gift/${random.integer(1, 9)}.png`,
        rewardUser: { userId: person.id },
      },
    }),
  ],
  [
    2,
    (random) => ({
      msgType: 'custom',
      content: {
        EVENT: 'QUIZ_RESULT',
        version: 1,
        emitMode: 0,
        msgSource: 'custom',
        tip: '小测验成绩',
        data: {
          score: random.integer(40, 100),
          // Senders write what they like: a number whose digits a double cannot hold.
          ticket: new LosslessNumber(`90071992547409${random.text(6, '123456789')}`),
        },
      },
    }),
  ],
  [
    2,
    (random, _person, _roomId, filesUrl) => ({
      msgType: 'customerMessage',
      uid: '2',
      content: random.pick(['课程资料已更新，请在群里查看', 'Reminder: the class starts in five minutes.']),
      image: random.chance(0.3) ? imageUrl(random, filesUrl) : '',
    }),
  ],
  [
    2,
    (random, _person, _roomId, filesUrl) => ({
      msgType: '',
      content: JSON.stringify({
        url: protocolRelative(`${filesUrl}/doc/${random.text(16)}.pdf`),
        name: random.pick(['第三章讲义.pdf', '期末复习提纲.pdf', 'homework-5.pdf']),
      }),
    }),
  ],
]

const totalWeight = makers.reduce((sum, [weight]) => sum + weight, 0)

/** What one message says, in one of the service's shapes. */
export function sandboxBody(random: Random, person: Person, roomId: string, filesUrl: string): Body {
  let rest = random.next() * totalWeight
  const [, make] = makers.find(([weight]) => (rest -= weight) < 0) ?? [0, talk]
  return make(random, person, roomId, filesUrl)
}

/** Something said in class, as the service keeps it: HTML-escaped, here and there without the semicolon. */
function escapedTalk(random: Random): string {
  const semicolon = random.chance(0.8) ? ';' : ''
  const entities: Record<string, string> = { '&': '&amp', '<': '&lt', '>': '&gt', '"': '&quot', "'": '&#39' }
  return classTalk(random).replace(/[&<>"']/g, (char) => (entities[char] ?? char) + semicolon)
}
