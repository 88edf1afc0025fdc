#!/usr/bin/env node
import { run } from './cli.ts'

process.exitCode = await run(process.argv)
// A handle that a library left open must not keep a finished command alive.
setTimeout(() => process.exit(), 1_000).unref()
