import { setMaxListeners } from 'node:events'
import { Agent, type Dispatcher, request } from 'undici'
import type { Logger } from '../log.ts'
import { metrics } from '../metrics.ts'
import type { Attachment, MessageKind } from '../model.ts'
import { retryAfterOf } from '../http-headers.ts'
import type { FileAccess, RateBudget } from '../providers/provider.ts'
import { orStopped } from '../providers/stopped.ts'
import type { Archive } from './archive.ts'
import { type Answer, ask, type NotAsked, type Question } from './ask.ts'
import { bodyOf } from './body.ts'
import { codeOf, isOwnWord, outcomeOf } from './failure.ts'
import { Guard } from './guard.ts'
import { HostRests } from './host-rests.ts'
import { errorText, isRefusal, isThere, judgeStatus, sizeOf, typeOf } from './judge.ts'
import { failed, type Outcome, refused } from './outcome.ts'
import { isPageType, type Promised, promisedBy } from './promise.ts'
import { Turns, type Urgency } from './turns.ts'

const connectTimeoutMs = 5_000
const headersTimeoutMs = 10_000
const silenceMs = 10_000
/** `Retry-After` of a host that names none it is believed to mean. */
const usualRestMs = 30_000

/** How a source's files are asked for, and within which limit. */
export interface SourceFiles {
  access: FileAccess
  /** Null where no limit is known. */
  budget: Record<Urgency, RateBudget> | null
}

/** What a resolver works with. */
export interface ResolverOptions {
  log: Logger
  sources: ReadonlyMap<string, SourceFiles>
  allowHosts: readonly string[]
  concurrency: number
  maxBytes: number
  /** Absent: files are asked for and not kept. */
  archive?: Archive
}

/** Whose attachment it is, and how urgent. */
export interface Asker {
  source: string
  kind: MessageKind
  urgency: Urgency
}

/** Asks for attachments: whether they are there (`check`), or all of them, to keep them (`archive`). */
export class Resolver {
  readonly #options: ResolverOptions
  readonly #guard: Guard
  readonly #dispatcher: Dispatcher
  readonly #turns: Turns
  readonly #rests = new HostRests()
  /** Sources whose files do not open without a token: they are not asked for without one again. */
  readonly #needToken = new Set<string>()

  constructor(options: ResolverOptions) {
    const { sources, allowHosts, concurrency } = options
    this.#options = options
    this.#guard = new Guard(
      allowHosts,
      [...sources.values()].map(({ access }) => access),
    )
    this.#turns = new Turns(concurrency)
    this.#dispatcher = new Agent({
      connect: { timeout: connectTimeoutMs, lookup: this.#guard.lookup },
      headersTimeout: headersTimeoutMs,
      bodyTimeout: silenceMs,
      connections: concurrency,
    })
  }

  /**
   * What became of one attachment. Never rejects, also when `signal` aborts: then it is `failed`, `not_in_time`. What
   * is wrong with it is in the metrics, and in the log without path and query.
   */
  async resolve(attachment: Attachment, asker: Asker, signal: AbortSignal): Promise<Outcome> {
    // All attachments of a set of records listen to one.
    setMaxListeners(0, signal)
    const outcome = await this.#resolve(attachment, asker, signal)
    metrics.attachments.inc({ state: outcome.state })
    if (outcome.reason !== null) {
      metrics.attachmentFailures.inc({ reason: outcome.reason })
      const { state, reason } = outcome
      const host = hostOf(attachment.resolvedUrl)
      this.#options.log.debug({ source: asker.source, host, state, reason }, 'attachment is not there')
    }
    return outcome
  }

  /** Whether each host that is known by name answers, whatever it says; asks for no file. */
  async reach(signal: AbortSignal): Promise<{ host: string; answers: boolean }[]> {
    const asked = this.#guard.namedHosts.map(async (host) => ({
      host,
      answers: await this.#reach(host, signal),
    }))
    return Promise.all(asked)
  }

  async close(): Promise<void> {
    await this.#dispatcher.destroy()
    for (const { access } of this.#options.sources.values()) await access.close()
    await this.#options.archive?.close()
  }

  async #resolve(attachment: Attachment, asker: Asker, signal: AbortSignal): Promise<Outcome> {
    if (!URL.canParse(attachment.resolvedUrl)) return refused('no_link')
    const url = new URL(attachment.resolvedUrl)
    const files = this.#options.sources.get(asker.source)
    const refusal = this.#guard.refusal(url, files?.access)
    if (refusal !== null) return refused(refusal)
    const task: Task = { attachment, asker, files, url, signal, isSilent: false }
    const asking = this.#turns.take(asker.urgency, signal, () =>
      this.#rests.isResting(url.host) ? Promise.resolve(failed('host_rests')) : this.#ask(task),
    )
    try {
      // A store or a resolver that hangs hears no signal.
      return await orStopped(asking, signal)
    } catch (error) {
      return this.#outcomeOf(error, task)
    }
  }

  async #ask(task: Task): Promise<Outcome> {
    const promised = promisedBy(task.attachment, task.asker.kind)
    if (this.#options.archive) return this.#archive(task, this.#options.archive, promised)
    // What refuses HEAD may do so in any way, so its yes is believed and nothing else.
    const answer = await this.#answer(task, 'HEAD', {})
    if (!('refusal' in answer)) {
      await answer.response.body.dump()
      if (isThere(answer.response)) return this.#described(answer, task, promised)
    }
    const asked = await this.#answer(task, 'GET', { range: 'bytes=0-0' })
    if ('refusal' in asked) return notFollowed(asked)
    if (!isThere(asked.response)) return this.#refusedBy(asked, task)
    await asked.response.body.dump()
    return this.#described(asked, task, promised)
  }

  async #archive(task: Task, archive: Archive, promised: Promised): Promise<Outcome> {
    const answer = await this.#answer(task, 'GET', {})
    if ('refusal' in answer) return notFollowed(answer)
    if (!isThere(answer.response)) return this.#refusedBy(answer, task)
    if (answer.response.statusCode !== 200) {
      // A part that nobody asked for.
      await answer.response.body.dump()
      return failed('cut_short')
    }
    const { maxBytes } = this.#options
    const body = bodyOf(answer.response, { promised, maxBytes, promisedBytes: task.attachment.size })
    const kept = await archive.keep(body).finally(() => {
      // Also where the disk failed before a byte was read: an answer that is left holds its connection for good.
      answer.response.body.on('error', () => undefined).destroy()
    })
    this.#rests.answered(task.url.host)
    const mimeType = typeOf(answer.response)
    return { state: 'archived', reason: null, retry: false, ...kept, ...(mimeType && { mimeType }) }
  }

  /** Asks, and once more with the source's token where the link alone was refused and may be given one. */
  async #answer(
    task: Task,
    method: Question['method'],
    headers: Record<string, string>,
  ): Promise<Answer | NotAsked> {
    const { asker, url, signal } = task
    if (!this.#needToken.has(asker.source)) {
      const answer = await this.#send(task, { url, method, headers })
      if ('refusal' in answer || !isRefusal(answer.response)) return answer
      if (!task.files?.access.mayAuthorize(url)) return answer
      await answer.response.body.dump()
    }
    for (let again = false; ; again = true) {
      const authorized = await task.files?.access.authorize(url, signal)
      if (!authorized) return this.#send(task, { url, method, headers })
      const answer = await this.#send(task, {
        ...authorized,
        method,
        headers: { ...headers, ...authorized.headers },
      })
      if ('refusal' in answer) return answer
      if (answer.response.statusCode !== 401) {
        if (isThere(answer.response)) this.#needToken.add(asker.source)
        return answer
      }
      authorized.drop()
      if (again) return answer
      await answer.response.body.dump()
    }
  }

  async #send(task: Task, question: Question): Promise<Answer | NotAsked> {
    const { asker, files, signal } = task
    await files?.budget?.[asker.urgency].take(signal)
    task.isSilent = true
    const way = { guard: this.#guard, dispatcher: this.#dispatcher, access: files?.access, signal }
    const answer = await ask(question, way)
    task.isSilent = false
    return answer
  }

  #described({ response, url, isPermanent }: Answer, task: Task, promised: Promised): Outcome {
    this.#rests.answered(task.url.host)
    const type = typeOf(response)
    if (isPageType(type, promised)) return failed('page')
    const size = sizeOf(response)
    // What is signed, or open to us alone, or only now there, is no address for later.
    const isMoved = url.href !== task.url.href && isPermanent && url.search === ''
    const isOpen = !this.#needToken.has(task.asker.source)
    return {
      state: 'available',
      reason: null,
      retry: false,
      ...(size !== null && { size }),
      ...(type && { mimeType: type }),
      ...(isMoved && isOpen && { resolvedUrl: url.href }),
    }
  }

  async #refusedBy({ response, url }: Answer, task: Task): Promise<Outcome> {
    const { statusCode: status, headers } = response
    if (status === 429 || status === 503) {
      const restMs = retryAfterOf(headers['retry-after'], Date.now()) ?? usualRestMs
      this.#rests.failed(url.host, restMs)
      // Another host's wish is none of the provider's.
      if (this.#isProviders(task, url)) task.files?.budget?.[task.asker.urgency].pause(restMs)
    } else if (status < 500) {
      this.#rests.answered(url.host)
    }
    const text = await errorText(response)
    const outcome = judgeStatus(status, text)
    // Our own right was refused, and not the file: that is mended by the operator, not by the sender.
    return status === 401 && task.files?.access.mayAuthorize(url) ? failed('unauthorized') : outcome
  }

  #isProviders({ files }: Task, url: URL): boolean {
    return files !== undefined && (files.access.isOwn(url) || files.access.mayAuthorize(url))
  }

  async #reach(host: string, signal: AbortSignal): Promise<boolean> {
    for (const scheme of ['https', 'http']) {
      try {
        const { body } = await request(`${scheme}://${host}/`, {
          dispatcher: this.#dispatcher,
          method: 'HEAD',
          signal,
        })
        await body.dump()
        return true
      } catch (error) {
        this.#options.log.debug({ host, scheme, code: codeOf(error) }, 'attachment host does not answer')
      }
    }
    return false
  }

  #outcomeOf(error: unknown, { url, signal, isSilent }: Task): Outcome {
    if (isOwnWord(error)) return outcomeOf(error, signal)
    // A file that takes long or waits for its turn says nothing against the host, and neither does our own end.
    const isOurs = signal.aborted && (signal.reason as Error | undefined)?.name !== 'TimeoutError'
    const isStalled = isSilent || codeOf(error) === 'UND_ERR_BODY_TIMEOUT'
    if (isStalled && !isOurs) this.#rests.failed(url.host)
    return outcomeOf(error, signal)
  }
}

/** Where a file is moved to is the provider's doing: the operator can allow that host while the file is there. */
function notFollowed({ refusal }: NotAsked): Outcome {
  return refusal === 'redirect_host_refused' ? failed(refusal) : refused(refusal)
}

interface Task {
  attachment: Attachment
  asker: Asker
  files: SourceFiles | undefined
  url: URL
  signal: AbortSignal
  /** It was asked for, and there is no answer yet. */
  isSilent: boolean
}

/** The host alone: paths and queries open files. */
function hostOf(link: string): string {
  return URL.canParse(link) ? new URL(link).host : ''
}
