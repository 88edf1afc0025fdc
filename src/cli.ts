import { readFileSync } from 'node:fs'
import { exitStatus } from './commands/command.ts'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { AuditCommandOptions } from './commands/audit.ts'
import type { BackfillOptions } from './commands/backfill.ts'
import type { CheckCommandOptions } from './commands/check.ts'
import type {
  DeadDiscardOptions,
  DeadListOptions,
  DeadReplayOptions,
  DeadShowOptions,
} from './commands/dead.ts'
import type { ImportOptions } from './commands/import.ts'
import type { SandboxCommandOptions } from './commands/sandbox.ts'
import type { SearchOptions } from './commands/search.ts'
import type { SinkRebuildOptions } from './commands/sink-rebuild.ts'
import type { StatusOptions } from './commands/status.ts'
import type { TailOptions } from './commands/tail.ts'
import type { UpOptions } from './commands/up.ts'
import { ChatfeedError, explain } from './errors.ts'

/** Runs one command line and answers its exit status. Each command's code is loaded only when it is called. */
export async function run(argv: readonly string[]): Promise<number> {
  let status: number = exitStatus.done
  const program = new Command('chatfeed')
    .description(
      'Carries every chat message of Easemob and Polyv through Kafka, exactly once, to a searchable store.',
    )
    .version(version())
    .exitOverride()
    .showHelpAfterError('(chatfeed COMMAND --help shows what a command takes)')

  const command = (name: string, description: string, parent: Command = program) =>
    parent
      .command(name)
      .description(description)
      .option('-c, --config <FILE>', 'configuration; chatfeed.yaml if present, else the demonstration')
      .addOption(new Option('-v, --verbose', 'log more, to standard error'))

  command('up', 'run the pipeline: ingest, dedup, enrich and the sinks')
    .option(
      '--only <ROLES>',
      'run some roles only: ingest, dedup, enrich, sink, sink:NAME, separated by commas',
    )
    .option('--once', 'take every unit that is due now, carry it through, and end')
    .option('--json', 'with --once: print the summary as JSON')
    .action(async (options: UpOptions) => {
      status = await (await import('./commands/up.ts')).up(options)
    })

  command('import', 'publish saved history files into the raw topic')
    .argument(
      '<FILE...>',
      'Easemob: gz or plain lines; Polyv: response pages or item arrays; - reads standard input',
    )
    .requiredOption('--source <NAME>', 'the configured source that the files belong to')
    .option('--json', 'print the result as JSON')
    .action(async (files: string[], options: ImportOptions) => {
      status = await (await import('./commands/import.ts')).importFiles(files, options)
    })

  command('backfill', 'read past hours of a source beside the running job')
    .requiredOption('--source <NAME>', 'the configured source whose hours are read')
    .requiredOption(
      '--from <TIME>',
      'hours from this time on (2026-11-20T00:00:00+08:00), or so long ago (72h)',
    )
    .requiredOption('--to <TIME>', 'hours that begin before this time')
    .option('--json', 'print the result as JSON')
    .action(async (options: BackfillOptions) => {
      status = await (await import('./commands/backfill.ts')).backfillHours(options)
    })

  command('status', 'show sources and units, stages and sinks, dead letters')
    .option('--json', 'print as JSON')
    .action(async (options: StatusOptions) => {
      status = await (await import('./commands/status.ts')).status(options)
    })

  command('audit', 'account for every line of every unit, from the provider to the sinks')
    .option('--source <NAME>', 'only the units of one source')
    .option('--from <TIME>', 'only hours from a time (2026-11-23T10:00:00+08:00) or so long ago (72h) on')
    .option('--to <TIME>', 'only hours that begin before a time')
    .option('--patience <DURATION>', 'how long a stage that is behind may stand still', '15s')
    .option('--units', 'show every unit, not only days and units with problems')
    .option('--json', 'print as JSON')
    .action(async (options: AuditCommandOptions) => {
      status = await (await import('./commands/audit.ts')).audit(options)
    })

  command('check', 'the doctor: looks at Kafka, the providers and the stores, and says what to mend')
    .option('--json', 'print as JSON')
    .action(async (options: CheckCommandOptions) => {
      status = await (await import('./commands/check.ts')).check(options)
    })

  command('tail', 'print the records of a topic, one JSON object a line')
    .argument('[TOPIC]', 'raw.easemob, raw.polyv, unique, messages, dead, ledger or unread', 'messages')
    .option('--follow', 'go on with what comes; begins at the end unless --from is given')
    .option('--from <TIME>', 'begin at a time (2026-11-23T10:00:00+08:00) or so long ago (2h)')
    .option(
      '--where <KEY=VALUE>',
      'only records whose field has this value; fields inside by dots; repeatable',
      collect,
    )
    .option('--json', 'accepted for uniformity: the output is JSON lines anyway')
    .action(async (topic: string, options: TailOptions) => {
      status = await (await import('./commands/tail.ts')).tail(topic, options)
    })

  command('search', 'full-text search in the SQLite sink, Chinese included')
    .argument('<TEXT...>', 'what to look for; every word must be there')
    .option('--limit <N>', 'most messages to show', positiveInteger, 20)
    .option('--json', 'print as JSON')
    .action(async (words: string[], options: SearchOptions) => {
      status = await (await import('./commands/search.ts')).search(words.join(' '), options)
    })

  const dead = program.command('dead').description('what could not be understood: look, put back, give up')
  const filtered = (name: string, description: string) =>
    command(name, description, dead)
      .option('--code <CODE>', 'only letters with this error code')
      .option('--stage <STAGE>', 'only letters of this stage: dedup or enrich')
      .option('--source <NAME>', 'only letters of this source')
      .option('--from <TIME>', 'died at or after a time (2026-11-23T10:00:00+08:00), or so long ago (2h)')
      .option('--to <TIME>', 'died before')
      .option('--json', 'print as JSON')

  filtered('list', 'show the open letters, the newest first')
    .option('--resolved', 'those that were replayed or discarded instead')
    .option('--limit <N>', 'most letters to show', positiveInteger, 1_000)
    .action(async (options: DeadListOptions) => {
      status = await (await import('./commands/dead.ts')).deadList(options)
    })

  command('show', 'show everything about a letter, its text included', dead)
    .argument('<ID>', 'message id, or PARTITION:OFFSET as the list shows it')
    .option('--json', 'print as JSON')
    .action(async (id: string, options: DeadShowOptions) => {
      status = await (await import('./commands/dead.ts')).deadShow(id, options)
    })

  filtered('replay', 'put letters back into their raw topics')
    .argument('[ID...]', 'message ids, or PARTITION:OFFSET as the list shows them')
    .option('--all', 'every open letter that the filters leave')
    .option('--dry-run', 'only tell what would be done, and whether this version understands it now')
    .action(async (ids: string[], options: DeadReplayOptions) => {
      status = await (await import('./commands/dead.ts')).deadReplay(ids, options)
    })

  filtered('discard', 'give letters up; they stay in the topic, with the reason')
    .argument('[ID...]', 'message ids, or PARTITION:OFFSET as the list shows them')
    .option('--all', 'every open letter that the filters leave')
    .requiredOption('--reason <R>', 'why; no message text, for it is kept')
    .action(async (ids: string[], options: DeadDiscardOptions) => {
      status = await (await import('./commands/dead.ts')).deadDiscard(ids, options)
    })

  const sink = program.command('sink').description('the stores that messages are carried to')
  command('rebuild', 'set a sink back and carry everything to it again', sink)
    .argument('<NAME>', 'a configured sink')
    .option(
      '--from <TIME>',
      'keep what is there, and carry again what came at this time (2026-11-23T10:00:00+08:00) or so long ago (2h) and later',
    )
    .option('--json', 'print the result as JSON')
    .action(async (name: string, options: SinkRebuildOptions) => {
      status = await (await import('./commands/sink-rebuild.ts')).sinkRebuild(name, options)
    })

  command('sandbox', 'run the two simulated providers alone')
    .option('--host <H>', 'address to listen on; 0.0.0.0 lets other machines and containers in', '127.0.0.1')
    .option('--port <P>', 'Easemob listens here, Polyv one further; 0 takes free ports', port, 8789)
    .option('--seed <N>', 'another seed makes other people say other things', positiveInteger, 1)
    .option('--messages-per-hour <N>', 'of each provider in its busiest hour', positiveInteger, 240)
    .option('--json', 'print the addresses as JSON')
    .action(async (options: SandboxCommandOptions) => {
      status = await (await import('./commands/sandbox.ts')).sandbox(options)
    })

  process.stdout.off('error', onBrokenPipe).on('error', onBrokenPipe)
  try {
    await program.parseAsync(argv)
    return status
  } catch (error) {
    return report(error)
  }
}

/** A reader that went away (`| head`) is no error; long-running commands end by it, see app/signals. */
function onBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}

/** One clear line for the user; the exit status that belongs to it. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitStatus.done : exitStatus.usage
  process.stderr.write(`chatfeed: ${explain(error)}\n`)
  if (!(error instanceof ChatfeedError) && error instanceof Error)
    process.stderr.write(`${error.stack ?? ''}\n`)
  const usage = error instanceof ChatfeedError && ['usage', 'configuration'].includes(error.code)
  return usage ? exitStatus.usage : exitStatus.failed
}

function version(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string
  }
  return version
}

function collect(value: string, previous: string[] = []): string[] {
  if (!/^[^=]+=/.test(value)) throw new InvalidArgumentError('Write KEY=VALUE.')
  return [...previous, value]
}

function positiveInteger(value: string): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError('Write a whole number from 1.')
  return number
}

function port(value: string): number {
  const number = Number(value)
  if (!Number.isInteger(number) || number < 0 || number > 65_534)
    throw new InvalidArgumentError('Write a port from 0 to 65534.')
  return number
}
