import { isRefusal, type Client, type Refusal } from '../client/client.ts'
import { askPage, type List } from './page.ts'

/** Pages in a row that may bring nothing new. */
const patience = 3

/**
 * Reads a list along its cursors. Only an empty list is the end, whatever the size of the others; a cursor that is
 * missing or comes a second time breaks the way to it, and the list is not complete. Returns and throws as
 * `History.readList` does.
 */
export async function readByCursor(
  client: Pick<Client, 'ask'>,
  list: List,
  signal: AbortSignal,
): Promise<Refusal | null> {
  const cursors = new Set<string>()
  const met = new Set<string | number>()
  let cursor: string | null = null
  for (let idlePages = 0; idlePages < patience;) {
    const page = await askPage(client, list, { cursor }, signal)
    if (isRefusal(page)) return page
    if (page.records.length === 0) return null
    await list.accept(page.records)
    if (page.cursor === null) return broken('names no cursor behind a list that goes on')
    if (cursors.has(page.cursor)) return broken('names a cursor a second time')
    cursors.add(page.cursor)
    cursor = page.cursor

    const metBefore = met.size
    for (const { position } of page.records) met.add(position)
    idlePages = met.size === metBefore ? idlePages + 1 : 0
  }
  return broken('repeats the same messages under ever new cursors')
}

function broken(what: string): Refusal {
  return { code: 'cursor', reason: `Polyv ${what}, so the end of the list cannot be reached.` }
}
