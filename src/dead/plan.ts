import type { Letter } from './letter.ts'
import { foresee, replayOf, type ReplayTargets } from './replay.ts'
import { Refusals, type RefusedLetters } from './refusals.ts'

/** What a replay would do. */
export interface ReplayPlan {
  /** Letters that would be put back. */
  total: number
  /** The first of them. */
  letters: PlannedReplay[]
  /** How many of them would be `understood` by this version, or die again under a code. */
  verdicts: Record<string, number>
  refused: RefusedLetters[]
}

/** What a replay would do with one letter. */
export interface PlannedReplay {
  address: string
  id: string | null
  topic: string
  /** The message id under which it goes: a real one where the letter had none but its place. */
  newId: string
  verdict: string
}

/** Looks at what `replayLetters` would do with these letters; changes nothing. Lists `limit` of them at most. */
export async function planReplay(
  letters: AsyncIterable<Letter>,
  targets: ReplayTargets,
  limit: number,
): Promise<ReplayPlan> {
  const plan: ReplayPlan = { total: 0, letters: [], verdicts: {}, refused: [] }
  const refusals = new Refusals()
  for await (const letter of letters) {
    const replay = replayOf(letter, targets)
    if ('refusal' in replay) {
      refusals.add(letter, replay.refusal)
      continue
    }
    const verdict = foresee(replay, targets)
    plan.total++
    plan.verdicts[verdict] = (plan.verdicts[verdict] ?? 0) + 1
    if (plan.letters.length === limit) continue
    const { address, id } = letter
    plan.letters.push({ address, id, topic: replay.topic, newId: replay.key.toString(), verdict })
  }
  return { ...plan, refused: refusals.byReason() }
}
