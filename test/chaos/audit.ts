import type { AuditReport } from '../../src/audit/report.ts'
import { runChatfeed } from '../support/chatfeed.ts'
import type { Cleanup } from '../support/cleanup.ts'

const problemsShown = 5

/** What `chatfeed audit` came to in a word, and what it complains of. */
export async function auditOf(t: Cleanup, cwd: string): Promise<{ verdict: string; complaints: string[] }> {
  const { status, stdout, stderr } = await runChatfeed(t, ['audit', '--json', '--patience', '30s'], { cwd })
  if (status === 0) return { verdict: 'balanced', complaints: [] }
  if (status !== 1 || stdout === '')
    return { verdict: 'failed', complaints: [`audit ended with ${status}:\n${stderr.slice(-2_000)}`] }
  const { problems, tally, sinks } = JSON.parse(stdout) as AuditReport
  const kinds = tally.map(({ kind, where, count }) => `${count} ${kind} in ${where}`)
  const unasked = sinks.filter(({ audited }) => !audited).map(({ name }) => `sink ${name} could not be asked`)
  return {
    verdict: 'NOT balanced',
    complaints: [
      `audit: ${[...kinds, ...unasked].join(', ')}`,
      ...problems.slice(0, problemsShown).map(({ text, id, unit }) => `audit: ${unit} ${id}: ${text}`),
    ],
  }
}
