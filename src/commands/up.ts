import { type CommonOptions, exitStatus } from './command.ts'
import { startHttp } from '../app/http.ts'
import { type OnceSummary, runOnce } from '../app/once.ts'
import { openConfig, openLog } from './open.ts'
import { type Pipeline, startPipeline } from '../app/pipeline.ts'
import { parseRoles } from '../app/roles.ts'
import { openRuntime, type Runtime } from '../app/runtime.ts'
import { stopSignal, whenStopped } from '../app/signals.ts'
import { isTransient } from '../errors.ts'
import { Watch } from '../app/watch.ts'
import { LiveSummary } from '../app/live-summary.ts'

/** Options of `chatfeed up`. */
export interface UpOptions extends CommonOptions {
  only?: string
  once?: boolean
  json?: boolean
}

/** `chatfeed up`: runs the roles until a signal, or with `--once` until everything due is carried through. */
export async function up(options: UpOptions): Promise<number> {
  const signal = stopSignal()
  const { config, demo } = await openConfig(options)
  const live = !options.once && process.stdout.isTTY
  const log = openLog(options, config, live)
  let runtime: Runtime | undefined
  let pipeline: Pipeline | undefined
  const summary = new LiveSummary({ live, quiet: Boolean(options.once) })
  const closers: (() => void | Promise<void>)[] = []
  try {
    const roles = parseRoles(options.only, config)
    runtime = await openRuntime({ config, log, signal, onProgress: (text) => summary.say(text) })
    pipeline = await startPipeline(runtime, roles, Boolean(options.once))
    if (options.once) {
      const failed = [pipeline.failed, runtime.failed]
      const result = await Promise.race([runOnce(runtime, pipeline, signal), ...failed])
      process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : onceText(result))
      if (signal.aborted)
        process.stderr.write('stopped before all was carried through; the next run goes on\n')
      return result.ok && !signal.aborted ? exitStatus.done : exitStatus.failed
    }
    const running = pipeline
    const watch = new Watch(runtime, pipeline)
    closers.push(() => watch.close())
    const http = await startHttp({
      ...config.http,
      log,
      isAlive: () => running.isAlive(),
      notReady: () => watch.notReady(),
    })
    if (http)
      closers.push(() => {
        http.close()
      })
    summary.start({ runtime, pipeline, watch, metricsUrl: http?.url ?? null, demo: demo !== null })
    await Promise.race([whenStopped(signal), pipeline.failed, runtime.failed])
    return exitStatus.done
  } catch (error) {
    // Asked to end while it still waited for Kafka.
    if (signal.aborted && (isTransient(error) || error === signal.reason))
      return options.once ? exitStatus.failed : exitStatus.done
    throw error
  } finally {
    summary.stop()
    await pipeline?.stop()
    // Health is told until the end, also of a process that hangs on its way out.
    for (const close of closers) await close()
    await runtime?.close()
    await demo?.sandbox.close()
  }
}

function onceText({ sources, sinks }: OnceSummary): string {
  const lines = sources.flatMap(({ name, units, lines, lost, failed, stopped }) => [
    `${name}: ${units} units read, ${lines} records`,
    ...(stopped === null ? [] : [`${name}: stopped. ${stopped}`]),
    ...lost.map((unit) => `${name}: lost ${unit}`),
    ...failed.map((unit) => `${name}: failed ${unit}`),
  ])
  return [
    ...lines,
    ...sinks.map(
      ({ name, rows }) => `${name}: ${rows === null ? 'all messages delivered' : `${rows} messages stored`}`,
    ),
    '',
  ].join('\n')
}
