import { remember } from './bounded.ts'

/** The revision that is known of each session, so that an older state never replaces a newer one (R3). */
export interface Revisions {
  /** Notes it and says whether it is at least as new as what was known. */
  isNews(sid: string, rev: number): boolean
  clear(): void
}

const MAX_SESSIONS = 500

export function createRevisions(): Revisions {
  const revs = new Map<string, number>()
  return {
    isNews(sid, rev) {
      if (rev < (revs.get(sid) ?? 0)) return false
      remember(revs, sid, rev, MAX_SESSIONS)
      return true
    },
    clear: () => revs.clear(),
  }
}
