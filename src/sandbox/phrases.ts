import type { Random } from './random.ts'

/** Invented people. */
export const people = [
  { id: 'lin.yue', name: '林月' },
  { id: 'chen.bo', name: '陈博' },
  { id: 'zhao.min', name: '赵敏之' },
  { id: 'sun.qi', name: '孙琪' },
  { id: 'wu.tong', name: '吴桐' },
  { id: 'he.an', name: '何安' },
  { id: 'tang.xin', name: '唐欣' },
  { id: 'maya', name: 'Maya Lindqvist' },
  { id: 'oscar', name: 'Oscar Verne' },
  { id: 'ines', name: 'Inês Prado' },
  { id: 'tobias', name: 'Tobias Hale' },
  { id: 'guest_0417', name: '游客0417' },
] as const

/** Invented people on the other side. */
export const agents = [
  { id: 'agent.xu', name: '客服小许' },
  { id: 'agent.fang', name: '客服小方' },
  { id: 'agent.rosa', name: 'Rosa (support)' },
] as const

const questions = [
  '你好，请问订单什么时候发货？',
  '我想申请退款，需要提供什么材料',
  '优惠券用不了，提示已过期😢',
  '发票可以开电子版吗？',
  '地址填错了，还能改吗',
  '快递显示签收了但是我没收到',
  'Hi, how long does delivery to Hangzhou take?',
  'The app says "payment failed" – was I charged?',
  'Can I change the size of my order? M → L please',
  '这个型号支持无线充电吗',
  '会员积分怎么兑换？',
  '课程回放在哪里可以看？',
]

const answers = [
  '您好，订单已经出库，预计明天送达。',
  '已为您登记退款，三个工作日内原路退回',
  '请稍等，我帮您查询一下物流信息～',
  '电子发票已发送到您的邮箱，请注意查收。',
  '不客气，祝您生活愉快！',
  'Sure – I have updated the address for you.',
  'The charge will be released within 24 hours.',
  '好的，已经修改成功\n还有其他问题吗？',
  '麻烦您提供一下订单号，谢谢',
]

const classroom = [
  '老师好！',
  '听得很清楚👍',
  '这道题为什么选B？',
  '老师能再讲一遍导数的定义吗',
  'a < b && b < c，那么 a < c 对吗',
  '哈哈哈哈哈哈',
  '666666',
  '声音有点小，可以调大一点吗',
  'Could you share the slides after class?',
  '笔记已经记好了 [微笑]',
  '作业是第三章第5题吗？',
  'What does "eigenvalue" mean?',
  '谢谢老师，今天的直播收获很大',
  '网络有点卡，刷新一下就好了',
]

/** A sentence of a customer. */
export const question = (random: Random): string => random.pick(questions)
/** A sentence of an agent. */
export const answer = (random: Random): string => random.pick(answers)
/** A sentence in a live class. */
export const classTalk = (random: Random): string => random.pick(classroom)

/** How busy an hour of the day is in China, between 0.05 and 1. */
export function busyness(atMs: number): number {
  const hour = Math.floor(atMs / 3_600_000 + 8) % 24
  if (hour < 7) return 0.05
  if (hour < 9) return 0.4
  return hour < 22 ? 1 : 0.3
}
