import assert from 'node:assert/strict'
import { type OnceSummary, runOnce } from '../../src/app/once.ts'
import { startPipeline } from '../../src/app/pipeline.ts'
import { parseRoles } from '../../src/app/roles.ts'
import { openRuntime } from '../../src/app/runtime.ts'
import type { Config } from '../../src/config/config.ts'
import { silentLog } from '../../src/log.ts'

/** A whole `once` run in this process that must go well, of all roles or of those named as in `--only`. */
export async function runRoles(config: Config, only?: string): Promise<OnceSummary> {
  const runtime = await openRuntime({ config, log: silentLog })
  const pipeline = await startPipeline(runtime, parseRoles(only, config), true)
  try {
    const signal = AbortSignal.timeout(60_000)
    const summary = await Promise.race([runOnce(runtime, pipeline, signal), pipeline.failed])
    assert.equal(signal.aborted, false, 'it took too long')
    assert.equal(summary.ok, true, JSON.stringify(summary.sources))
    return summary
  } finally {
    await pipeline.stop()
    await runtime.close()
  }
}
