import { text } from 'node:stream/consumers'
import type * as Cli from '../../src/cli.ts'

// Runs the command lines on standard input (a JSON array of arrays of words), one after the other in one process, and
// prints what each came to: starting a process for each would take most of the time.
const built = process.env['CHATFEED_TEST_PROGRAM']
const { run } = (await import(built ? `${built}/dist/cli.js` : '../../src/cli.ts')) as typeof Cli
const { stdout, stderr } = process
const print = stdout.write.bind(stdout)
const results: { status: number; stdout: string; stderr: string }[] = []
for (const words of JSON.parse(await text(process.stdin)) as string[][]) {
  const printed = { stdout: '', stderr: '' }
  stdout.write = (chunk) => ((printed.stdout += String(chunk)), true)
  stderr.write = (chunk) => ((printed.stderr += String(chunk)), true)
  results.push({ status: await run(['node', 'chatfeed', ...words]), ...printed })
}
print(JSON.stringify(results))
