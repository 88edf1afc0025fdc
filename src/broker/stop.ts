import { setTimeout as sleep } from 'node:timers/promises'
import { isRunning, type ProcessIdentity } from './process-identity.ts'

// A clean stop takes under a second; with what the kill then costs, Ctrl-C still ends within 10 s.
const graceMs = 6000
const pauseMs = 25

/** Ends the process, gently first; resolves when it is gone. Does nothing to one that is gone already. */
export async function stopProcess(target: ProcessIdentity): Promise<void> {
  send(target, 'SIGTERM')
  const deadline = Date.now() + graceMs
  while (isRunning(target)) {
    if (Date.now() > deadline) send(target, 'SIGKILL')
    await sleep(pauseMs)
  }
}

function send(target: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (isRunning(target)) process.kill(target.pid, signal)
  } catch (error) {
    // It went between the look and the signal.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
