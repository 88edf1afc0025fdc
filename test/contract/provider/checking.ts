import assert from 'node:assert/strict'
import { type Bench, eachAtOnce, isStop, scenario, within } from './bench.ts'
import type { ProviderCase } from './case.ts'
import { foreignAnswers } from './foreign-answers.ts'
import { assertTellsNothing } from './secrets.ts'

/** `Source.check`: honest, harmless, and never in the way. */
export function checkingScenarios(providerCase: ProviderCase): void {
  scenario(providerCase, 'check finds nothing wrong where nothing is, and only asks', async (open) => {
    const bench = await open()
    const findings = await bench.source.check(new AbortController().signal)
    assert.ok(findings.length > 0)
    for (const { level, text } of findings) assert.notEqual(level, 'fault', text)
    for (const { asked } of bench.wire.exchanges)
      assert.ok(asked.method === 'GET' || providerCase.mayPost(asked.path))
  })

  scenario(providerCase, 'check finds what is wrong and says what to do', async (open) => {
    await eachAtOnce(providerCase.wrong, async (entry) => {
      const faults = await faultsOf(await open({ entry }))
      assert.ok(faults.length > 0, JSON.stringify(entry))
    })
  })

  scenario(providerCase, 'check takes any answer, and tells no secret', async (open) => {
    const { sandbox } = await open()
    await eachAtOnce(foreignAnswers, async (answer) => {
      await faultsOf(await open({ sandbox, tamper: () => answer }))
    })
    const silent = await open({
      sandbox,
      tamper: (_asked, answer) => ({ ...answer, cut: { at: -1, framing: 'length', then: 'break' } }),
    })
    assert.ok((await faultsOf(silent)).length > 0)
  })

  scenario(providerCase, 'check stops when it is told to', async (open) => {
    const { source } = await open()
    const signal = AbortSignal.abort()
    await assert.rejects(within(source.check(signal)), (error) => isStop(error, signal))
  })
}

/** What is wrong or doubtful, each with its mend. */
async function faultsOf(bench: Bench): Promise<string[]> {
  const findings = await within(bench.source.check(new AbortController().signal), 10_000)
  assertTellsNothing(bench, JSON.stringify(findings))
  const wrong = findings.filter(({ level }) => level !== 'ok')
  for (const { text, mend } of wrong) assert.ok(text && mend, `${text} has no mend`)
  return wrong.filter(({ level }) => level === 'fault').map(({ about }) => about)
}
