import type { UserId } from '@chatbox/core'
import type { Work } from './work.ts'

const DAY_MS = 86_400_000

/**
 * Whether the user's answers that ended since midnight (UTC) have used up the day's tokens (security 22). Summed up from the rows each
 * time (R3); answers that are being written count when they end, so a user can go beyond the budget by those.
 */
export async function overBudget(work: Work, uid: UserId, until: number | undefined): Promise<boolean> {
  const { tokensPerDay } = work
  if (tokensPerDay === undefined) return false
  const now = work.now()
  const midnight = now - (now % DAY_MS)
  const since = (whose: UserId) =>
    work.insist('sum up tokens', () => work.conversations.tokensSince(whose, midnight), until)
  // What the user has had erased today was used all the same; it stands under the alias.
  const [spent, erased] = await Promise.all([since(uid), since(work.aliasOf(uid))])
  return spent + erased >= tokensPerDay
}
