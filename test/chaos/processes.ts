import { setTimeout as delay } from 'node:timers/promises'
import { type ChatfeedProcess, startChatfeed } from '../support/chatfeed.ts'
import type { Cleanup } from '../support/cleanup.ts'
import { type Footprint, footprintOf } from '../support/footprint.ts'

/** A process that came to an end of its own, which chaos never asks for. */
export interface SelfEnd {
  slot: number
  status: number | null
  lastWords: string
}

/** `up` processes, one a slot: each is started again when it has ended, as a supervisor would. */
export class Processes {
  readonly selfEnds: SelfEnd[] = []
  readonly #t: Cleanup
  readonly #folder: string
  readonly #slots: (ChatfeedProcess | undefined)[] = []
  readonly #supervised: Promise<void>[] = []
  readonly #asked = new WeakSet<ChatfeedProcess>()
  #isStopping = false

  constructor(t: Cleanup, folder: string, count: number) {
    this.#t = t
    this.#folder = folder
    for (let slot = 0; slot < count; slot++) this.#supervised.push(this.#supervise(slot))
  }

  /** Sends a signal to the process of a slot, also to one that is frozen. */
  signal(slot: number, signal: NodeJS.Signals): void {
    const running = this.#slots[slot]
    if (!running) return
    if (signal === 'SIGTERM') this.#asked.add(running)
    running.process.kill('SIGCONT')
    running.process.kill(signal)
  }

  get count(): number {
    return this.#supervised.length
  }

  /** Of every process, by slot; undefined where none runs now. */
  footprints(): (Footprint | undefined)[] {
    return this.#slots.map((running) => footprintOf(running?.process.pid))
  }

  /** Ends all gently. Resolves with complaints: who did not end in time, or not well. */
  async stop(limitMs: number): Promise<string[]> {
    this.#isStopping = true
    const complaints: string[] = []
    await Promise.all(
      this.#slots.map(async (running, slot) => {
        if (!running) return
        running.process.kill('SIGCONT')
        running.process.kill('SIGTERM')
        const begun = Date.now()
        const late = delay(limitMs, undefined, { ref: false }).then(() => null)
        const end = await Promise.race([running.ended, late])
        if (end === null) {
          complaints.push(
            `process ${slot} did not end within ${limitMs / 1_000} s of SIGTERM: ${wordsOf(running)}`,
          )
          running.process.kill('SIGKILL')
        } else if (end.status !== 0) {
          const ms = Date.now() - begun
          complaints.push(
            `process ${slot} ended with ${end.status} ${ms} ms after SIGTERM: ${wordsOf(running)}`,
          )
        }
      }),
    )
    await Promise.all(this.#supervised)
    return complaints
  }

  async #supervise(slot: number): Promise<void> {
    while (!this.#isStopping) {
      const running = startChatfeed(this.#t, ['up'], { cwd: this.#folder })
      this.#slots[slot] = running
      const { status } = await running.ended
      const isAsked = this.#isStopping || this.#asked.has(running) || running.process.signalCode !== null
      if (!isAsked) {
        this.selfEnds.push({ slot, status, lastWords: wordsOf(running) })
        await delay(1_000)
      }
    }
  }
}

/** The last warnings of a process, without what stands in every line. */
function wordsOf(running: ChatfeedProcess): string {
  const lines = running.stderr().trimEnd().split('\n')
  return lines.slice(-4).join('\n    ')
}
