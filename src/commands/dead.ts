import { SingleBar } from 'cli-progress'
import { type CommonOptions, exitStatus } from './command.ts'
import { withRuntime } from './open.ts'
import { parseTime } from './time.ts'
import type { Runtime } from '../app/runtime.ts'
import { DeadTopic, type FoundLetter } from '../dead/dead-topic.ts'
import { formatList, formatPlan, formatReplay, formatShown } from '../dead/format.ts'
import type { Letter } from '../dead/letter.ts'
import { listLetters, showLetters } from '../dead/list.ts'
import { planReplay } from '../dead/plan.ts'
import { discardLetters, replayLetters } from '../dead/resolve.ts'
import { findOpen, findOpenNamed, type LetterFilter } from '../dead/select.ts'
import { ChatfeedError } from '../errors.ts'
import { Connection } from '../kafka/connection.ts'
import { providersByName } from '../providers/index.ts'

/** Which letters are meant. */
interface FilterOptions extends CommonOptions {
  code?: string
  stage?: string
  source?: string
  from?: string
  to?: string
  json?: boolean
}

/** Options of `chatfeed dead list`. */
export interface DeadListOptions extends FilterOptions {
  limit: number
  resolved?: boolean
}

/** Options of `chatfeed dead show`. */
export interface DeadShowOptions extends CommonOptions {
  json?: boolean
}

/** Options of `chatfeed dead replay`. */
export interface DeadReplayOptions extends FilterOptions {
  all?: boolean
  dryRun?: boolean
}

/** Options of `chatfeed dead discard`. */
export interface DeadDiscardOptions extends FilterOptions {
  all?: boolean
  reason: string
}

/** Letters that `replay --dry-run` names at most. */
const plannedLimit = 1_000

/** From here on it takes long enough for a progress bar. */
const manyLetters = 5_000

/** `chatfeed dead list`: the open letters, or with `--resolved` those that were replayed or discarded. */
export async function deadList(options: DeadListOptions): Promise<number> {
  const filter = filterOf(options)
  const state = options.resolved ? 'resolved' : 'open'
  const list = await withDead(options, ({ dead }) => listLetters(dead, state, filter, options.limit))
  print(options, list, (found) => formatList(found, state))
  return exitStatus.done
}

/** `chatfeed dead show`: everything about the letters of an id, open or not, with their text. */
export async function deadShow(name: string, options: DeadShowOptions): Promise<number> {
  const letters = await withDead(options, ({ dead }) => showLetters(dead, [name]))
  print(options, { letters }, (shown) => formatShown(shown.letters))
  return exitStatus.done
}

/** `chatfeed dead replay`: puts letters back into their raw topics. Status 1 where one cannot be put back. */
export async function deadReplay(names: readonly string[], options: DeadReplayOptions): Promise<number> {
  const filter = chosen(names, options)
  return withDead(options, async ({ dead, runtime, signal }) => {
    const letters = read(dead, await find(dead, names, filter))
    const { kafka, log, codecs, topics } = runtime
    const targets = { codecs, topics, providers: providersByName }
    if (options.dryRun) {
      const plan = await planReplay(letters, targets, plannedLimit)
      print(options, { dryRun: true, replayed: 0, ...plan }, formatPlan)
      return statusOf(plan.refused.length === 0, signal)
    }
    const result = await replayLetters(letters, { ...targets, kafka, log, deadTopic: topics.dead, signal })
    print(options, { dryRun: false, ...result }, formatReplay)
    return statusOf(result.refused.length === 0, signal)
  })
}

/** `chatfeed dead discard`: gives letters up, and writes down why. They stay in `dead`, and `show` finds them. */
export async function deadDiscard(names: readonly string[], options: DeadDiscardOptions): Promise<number> {
  const filter = chosen(names, options)
  const reason = options.reason.trim()
  if (reason === '') throw new ChatfeedError('fatal', 'usage', 'The reason is empty.', { mend: 'Say why.' })
  return withDead(options, async ({ dead, runtime, signal }) => {
    const letters = read(dead, await find(dead, names, filter))
    const { kafka, log, topics } = runtime
    const discarded = await discardLetters(letters, reason, { kafka, log, deadTopic: topics.dead, signal })
    print(options, { discarded }, () => `${discarded} ${discarded === 1 ? 'letter' : 'letters'} discarded.`)
    return statusOf(true, signal)
  })
}

interface OpenDead {
  dead: DeadTopic
  runtime: Runtime
  signal: AbortSignal
}

async function withDead<T>(options: CommonOptions, use: (open: OpenDead) => Promise<T>): Promise<T> {
  return withRuntime(options, async (runtime, signal) => {
    const connection = new Connection(runtime.kafka, runtime.log, signal)
    try {
      return await use({
        dead: await DeadTopic.open(connection, runtime.codecs, runtime.topics.dead, signal),
        runtime,
        signal,
      })
    } finally {
      await connection.close()
    }
  })
}

/** The filter of a command that takes names, or `--all` with filters. */
function chosen(names: readonly string[], options: FilterOptions & { all?: boolean }): LetterFilter {
  const filter = filterOf(options)
  const mend = 'Name letters, or give --all, which --code, --stage, --source, --from and --to can narrow.'
  if (names.length === 0 && !options.all)
    throw new ChatfeedError('fatal', 'usage', 'It is not said which letters are meant.', { mend })
  if (names.length > 0 && (options.all || Object.keys(filter).length > 0))
    throw new ChatfeedError('fatal', 'usage', 'Letters are named and also chosen by options.', { mend })
  return filter
}

function find(dead: DeadTopic, names: readonly string[], filter: LetterFilter): Promise<FoundLetter[]> {
  return names.length > 0 ? findOpenNamed(dead, names) : findOpen(dead, filter)
}

/** The letters that were found, with a progress bar where they are many. */
async function* read(dead: DeadTopic, found: readonly FoundLetter[]): AsyncGenerator<Letter> {
  const bar = new SingleBar({
    format: '{bar} {percentage}%  {value} of {total} letters',
    stream: process.stderr,
  })
  if (found.length >= manyLetters) bar.start(found.length, 0)
  try {
    for await (const letter of dead.read(found)) {
      yield letter
      bar.increment()
    }
  } finally {
    bar.stop()
  }
}

function filterOf({ code, stage, source, from, to }: FilterOptions): LetterFilter {
  return {
    ...(code !== undefined && { code }),
    ...(stage !== undefined && { stage }),
    ...(source !== undefined && { source }),
    ...(from !== undefined && { fromMs: parseTime(from) }),
    ...(to !== undefined && { toMs: parseTime(to) }),
  }
}

function print<T>({ json }: { json?: boolean }, data: T, format: (data: T) => string): void {
  process.stdout.write(`${json ? JSON.stringify(data) : format(data)}\n`)
}

/** A signal in the middle leaves letters where they are: that is not all that was asked for. */
function statusOf(allDone: boolean, signal: AbortSignal): number {
  return allDone && !signal.aborted ? exitStatus.done : exitStatus.failed
}
