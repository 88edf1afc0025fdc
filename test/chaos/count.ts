import { newestRevisions, repeated, type Scene } from '../support/scene.ts'

/** What was handed out and what arrived, in numbers. */
export interface Figures {
  served: ReturnType<Scene['served']>
  raw: number
  unique: number
  messages: number
  rows: number
}

/**
 * Compares what the simulated providers handed out (they tell only how much) with what lies in the topics and in
 * SQLite, by name, as readers see it that share no code with chatfeed. Adds what is wrong to `complaints`.
 */
export async function countArrived(scene: Scene, complaints: string[]): Promise<Figures> {
  const served = scene.served()
  const [raw, unique, messages] = [
    await scene.readRaw(),
    await scene.readUnique(),
    await scene.readMessages(),
  ]
  const stored = scene.stored()
  const ids = [...new Set(raw.map(({ id }) => id))]
  const contents = new Set(raw.map(contentOf)).size
  if (ids.length !== served.messages)
    complaints.push(`raw: ${ids.length} messages, ${served.messages} were handed out`)
  // A killed process takes contents with it that changed until the next one asked.
  if (contents > served.revisions)
    complaints.push(`raw: ${contents} contents, ${served.revisions} were handed out`)
  differ('in raw and not in unique', ids, idsOf(unique), complaints)
  differ('contents in unique and not in raw', unique.map(contentOf), raw.map(contentOf), complaints)
  const revisions = { unique: unique.map(revisionOf), messages: messages.map(revisionOf) }
  for (const [topic, names] of Object.entries(revisions)) {
    const doubled = repeated(names)
    if (doubled.length > 0) complaints.push(`${topic}: ${doubled.length} doubled, such as ${doubled[0]}`)
  }
  const contentsDoubled = repeated(unique.map(contentOf))
  if (contentsDoubled.length > 0)
    complaints.push(`unique: ${contentsDoubled.length} contents doubled, such as ${contentsDoubled[0]}`)
  differ('in unique and not in messages', revisions.unique, revisions.messages, complaints)
  differ('in messages and not in unique', revisions.messages, revisions.unique, complaints)
  const newest = newestRevisions(messages)
  differ('in messages and not stored', newest, stored, complaints)
  differ('stored and not in messages', stored, newest, complaints)
  return {
    served,
    raw: raw.length,
    unique: unique.length,
    messages: messages.length,
    rows: stored.length,
  }
}

const idsOf = (records: readonly { id: string }[]): string[] => records.map(({ id }) => id)

const revisionOf = ({ id, revision }: { id: string; revision: number }): string => `${id} ${revision}`

const contentOf = ({ id, fingerprint }: { id: string; fingerprint: Buffer }): string =>
  `${id} ${fingerprint.toString('hex')}`

function differ(what: string, all: readonly string[], those: readonly string[], complaints: string[]): void {
  const known = new Set(those)
  const others = all.filter((name) => !known.has(name))
  if (others.length > 0) complaints.push(`${others.length} ${what}, such as ${others[0]}`)
}
