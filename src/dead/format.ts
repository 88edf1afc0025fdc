import type { LetterState } from './dead-topic.ts'
import type { LetterList, ListedLetter, ShownLetter } from './list.ts'
import type { ReplayPlan } from './plan.ts'
import type { RefusedLetters } from './refusals.ts'
import type { ReplayResult } from './resolve.ts'

/** The letters for people: two lines each, then the count. */
export function formatList({ total, letters }: LetterList, state: LetterState): string {
  const few = letters.length < total ? `, the newest ${letters.length} shown` : ''
  const count = `${total} ${state} ${total === 1 ? 'letter' : 'letters'}${few}`
  return [...letters.flatMap(listedLines), count].join('\n')
}

function listedLines(letter: ListedLetter): string[] {
  const { address, at, stage, code, reason, replays } = letter
  const again = replays === 0 ? '' : `, replayed ${times(replays)}`
  return [
    `${localTime(at)}  ${address.padEnd(8)}  ${inOneLine(nameOf(letter))}`,
    `    ${inOneLine(`${stage || 'nobody'} ${code}${again}: ${reason}`)}`,
    ...(letter.resolution ? [`    ${fate(letter)}`] : []),
  ]
}

/** Everything about letters, for people. */
export function formatShown(letters: readonly ShownLetter[]): string {
  return letters.map(shownLines).join('\n\n')
}

function shownLines(letter: ShownLetter): string {
  const { topic, partition, offset, bytes, payload } = letter
  const facts = {
    letter: `${letter.address}, ${localTime(letter.at)}`,
    state: fate(letter),
    code: letter.code,
    stage: letter.stage,
    reason: letter.reason,
    source: letter.source ?? 'unknown',
    origin: letter.origin || 'unknown',
    from: `${topic} ${partition}:${offset}`,
    replays: String(letter.replays),
    payload: bytes === null ? 'none' : `${bytes} bytes`,
  }
  return [
    inOneLine(nameOf(letter)),
    ...Object.entries(facts).map(([name, fact]) => `  ${name.padEnd(8)} ${inOneLine(fact)}`),
    ...(payload === null ? [] : [printable(payload)]),
  ].join('\n')
}

/** What a replay came to, for people. */
export function formatReplay({ replayed, refused }: ReplayResult): string {
  const carried = 'chatfeed up carries them on; one that dies again is in chatfeed dead list, with its count.'
  return [
    `${countOf(replayed)} put back.${replayed === 0 ? '' : ` ${carried}`}`,
    ...refused.map(refusedLine),
  ].join('\n')
}

/** What a replay would do, for people: a line each, then the counts. */
export function formatPlan({ total, letters, verdicts, refused }: ReplayPlan): string {
  const lines = letters.map(({ address, id, newId, topic, verdict }) => {
    const name = id === newId ? newId : `${id ?? '(no id)'} as ${newId}`
    return inOneLine(`${address.padEnd(8)}  ${name} to ${topic}: ${verdictText(verdict)}`)
  })
  const counts = Object.entries(verdicts).map(([verdict, count]) => `${count} ${verdictText(verdict)}`)
  const few = letters.length < total ? ` (the first ${letters.length} shown)` : ''
  const sum = `${countOf(total)} would be put back${few}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}.`
  return [...lines, sum, ...refused.map(refusedLine), 'Nothing was changed.'].join('\n')
}

const verdictText = (verdict: string): string =>
  verdict === 'understood' ? 'understood now' : `would die again (${verdict})`

const refusedLine = ({ reason, count, first }: RefusedLetters): string =>
  `${countOf(count)} cannot be put back, only discarded or kept: ${inOneLine(reason)} (${first}${count > 1 ? ' and others' : ''})`

const countOf = (count: number): string => `${count} ${count === 1 ? 'letter' : 'letters'}`

const nameOf = ({ id }: ListedLetter): string => id ?? '(no id)'

function fate({ resolution }: ListedLetter): string {
  if (!resolution) return 'open'
  const { outcome, at, reason } = resolution
  return inOneLine(`${outcome} ${localTime(at)}${reason === null ? '' : `: ${reason}`}`)
}

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`)

/** `2026-11-23 18:05:09` in the zone of this machine. */
const localTime = (atMs: number): string => new Date(atMs).toLocaleString('sv-SE')

/** Without what could steer the terminal: control and format characters are written as escapes. */
const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}]/gu, (char) =>
    char === '\n' || char === '\t' ? char : `\\u{${char.codePointAt(0)!.toString(16)}}`,
  )

const inOneLine = (text: string): string => printable(text.replaceAll('\n', '\\n'))
