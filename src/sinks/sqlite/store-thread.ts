import type { Transferable, Worker } from 'node:worker_threads'
import { ChatfeedError } from '../../errors.ts'
import { startThread } from '../../thread.ts'
import { fromThrown } from '../../thrown.ts'
import { Brake } from './brake.ts'
import {
  type Answer,
  type Call,
  opening,
  type Question,
  type Reading,
  type Results,
  type ThreadData,
} from './call.ts'
import type { StoreOptions } from './store.ts'

/** The last writes are given so long to end when the store is closed. */
const closeMs = 2_000

interface Asked {
  resolve: (result: unknown) => void
  reject: (error: Error) => void
}

/**
 * A SQLite store in a thread of its own, so that the work of a large write, and the wait for another program's lock,
 * hold up nothing else. Many calls may wait at once; each is answered, also when the thread ends.
 */
export class StoreThread {
  readonly #path: string
  readonly #worker: Worker
  readonly #exited: Promise<void>
  readonly #asked = new Map<number, Asked>()
  #lastId = opening
  /** Why nothing is answered any more. */
  #end: ChatfeedError | undefined
  #closing: Promise<void> | undefined

  private constructor(options: StoreOptions, reading: Reading) {
    this.#path = options.path
    const brake = new Brake()
    this.#worker = startThread('thread', import.meta.url, {
      options,
      reading,
      cells: brake.cells,
    } satisfies ThreadData)
    const onProcessEnd = () => {
      brake.pull()
    }
    process.once('exit', onProcessEnd)
    this.#worker.on('message', (answer: Answer) => {
      this.#settle(answer)
    })
    this.#worker.on('error', (cause) => {
      this.#fail(cause)
    })
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        process.off('exit', onProcessEnd)
        this.#fail(undefined)
        resolve()
      })
    })
  }

  /** Opens the store. Throws as `SqliteStore.open` does. */
  static async open(options: StoreOptions, reading: Reading): Promise<StoreThread> {
    const thread = new StoreThread(options, reading)
    await thread.#answerTo(opening)
    return thread
  }

  /** What the store says to a question. Throws ChatfeedError `fatal` (`store_thread_ended`) when the thread has ended. */
  ask<What extends Question['what']>(
    question: Extract<Question, { what: What }>,
    transfer: readonly Transferable[] = [],
  ): Promise<Results[What]> {
    if (this.#end) return Promise.reject(this.#end)
    const id = ++this.#lastId
    this.#worker.postMessage({ id, question } satisfies Call, transfer)
    return this.#answerTo(id) as Promise<Results[What]>
  }

  /** Closes the store after the calls that wait, and ends the thread. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close())
  }

  async #close(): Promise<void> {
    if (this.#end) return
    const closed = this.ask({ what: 'close' })
    this.#end = new ChatfeedError('transient', 'store_closed', `The database ${this.#path} was closed.`)
    const timer = setTimeout(() => {
      this.#worker.unref()
      this.#fail(new Error(`it did not close within ${closeMs} ms`))
    }, closeMs)
    try {
      await closed
      await this.#exited
    } finally {
      clearTimeout(timer)
    }
  }

  #answerTo(id: number): Promise<unknown> {
    return new Promise((resolve, reject) => this.#asked.set(id, { resolve, reject }))
  }

  #settle(answer: Answer): void {
    const asked = this.#asked.get(answer.id)
    this.#asked.delete(answer.id)
    if ('thrown' in answer) asked?.reject(fromThrown(answer.thrown))
    else asked?.resolve(answer.result)
  }

  /** The thread is gone: whoever waits must hear of it. */
  #fail(cause: unknown): void {
    const error = new ChatfeedError(
      'fatal',
      'store_thread_ended',
      `The thread that writes the database ${this.#path} has ended.`,
      { cause, mend: 'Start chatfeed again, best by a supervisor: it goes on from what is stored.' },
    )
    this.#end ??= error
    for (const { reject } of this.#asked.values()) reject(error)
    this.#asked.clear()
  }
}
