import { isRefusal, type Client, type Refusal } from '../client/client.ts'
import { readByCursor } from './cursor.ts'
import { askPage, type List } from './page.ts'

/** Further passes over a list whose pages shift while they are read. */
const extraPasses = 3

/** What one pass over the pages came to. */
interface Pass {
  /** Messages may have slipped over the border of two pages: there were several, or one full one. */
  hasBorders: boolean
  /** A full page brought nothing but what the pages before it had: the list moved, or the pages do not turn. */
  isStuck: boolean
  /** The messages met. */
  met: ReadonlySet<string | number>
}

/** Reads whole lists of one account. */
export class History {
  readonly #client: Pick<Client, 'ask'>
  /** So many messages make a full page: as many as asked for, or fewer once the service has shown a limit of its own. */
  #fullPage = Infinity

  constructor(client: Pick<Client, 'ask'>) {
    this.#client = client
  }

  /**
   * Reads every page of one list. Returns null when the list is complete, otherwise why it is not: the service
   * refuses it, an answer holds no list, or the pages shifted under the reading. A short list never passes for a
   * whole one. Throws what the client throws.
   *
   * The list of an hour that `isClosed` is read on until a page brings nothing, since the service may hand out
   * fewer messages a page than asked for. If there are borders of pages, they are read again until nothing new turns
   * up: every message deleted or approved meanwhile shifts those behind it, maybe over the border of a page already
   * read. An open hour is asked again soon anyway.
   */
  async readList(list: List, isClosed: boolean, signal: AbortSignal): Promise<Refusal | null> {
    if (list.endpoint.paging === 'cursor') return readByCursor(this.#client, list, signal)
    const met = new Set<string | number>()
    for (let pass = 0; pass <= (isClosed ? extraPasses : 0); pass++) {
      const metBefore = met.size
      const outcome = await this.#pass(list, isClosed, signal)
      if (isRefusal(outcome)) return outcome
      for (const position of outcome.met) met.add(position)
      const isSettled = !isClosed || !outcome.hasBorders || met.size === metBefore
      if (isSettled && !outcome.isStuck) return null
    }
    return pagesShifted
  }

  async #pass(list: List, isClosed: boolean, signal: AbortSignal): Promise<Pass | Refusal> {
    const met = new Set<string | number>()
    /** Messages on the page before, when it was short: by the documentation it was the last. */
    let shortPage: number | null = null
    for (let page = 1; ; page++) {
      const answer = await askPage(this.#client, list, { page }, signal)
      const hasBorders = page > 2 || (page === 2 && shortPage === null)
      const done = { hasBorders, isStuck: false, met }
      // Behind the documented end the service may answer as it likes, as long as it is well.
      if (isRefusal(answer)) return shortPage === null || answer.code === 'server_error' ? answer : done
      const { records } = answer
      if (records.length === 0) return done
      await list.accept(records)

      const metBefore = met.size
      for (const { position } of records) met.add(position)
      if (met.size === metBefore) return { ...done, isStuck: shortPage === null }

      if (shortPage !== null) this.#fullPage = Math.min(this.#fullPage, shortPage)
      shortPage = records.length < Math.min(list.pageSize, this.#fullPage) ? records.length : null
      if (shortPage !== null && !isClosed) return done
    }
  }
}

const pagesShifted: Refusal = {
  code: 'pages_shifted',
  reason: 'The pages of the list do not come to rest: they repeat themselves, or change while they are read.',
}
