import type { SessionPage, SessionView } from '@chatbox/protocol'
import type { Sessions } from './model.ts'

/** `rev` only rises; a lower one overtook (docs/PROTOCOL.md, "Ordering"). */
const newer = (a: SessionView, b: SessionView | undefined): boolean => !b || a.rev >= b.rev

const byActivity = (a: SessionView, b: SessionView): number =>
  b.lastActivity - a.lastActivity || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

function merged(...lists: readonly (readonly SessionView[])[]): SessionView[] {
  const byId = new Map<string, SessionView>()
  for (const session of lists.flat()) if (newer(session, byId.get(session.id))) byId.set(session.id, session)
  return [...byId.values()].sort(byActivity)
}

export const withSession = (sessions: Sessions, session: SessionView): Sessions => ({
  ...sessions,
  items: merged(sessions.items, [session]),
})

export const without = (sessions: Sessions, gone: ReadonlySet<string>): Sessions => ({
  ...sessions,
  items: sessions.items.filter(({ id }) => !gone.has(id)),
})

/** The first page, read anew: what it doesn't name is gone, unless it came by event while the page was read. */
export const withFirstPage = (page: SessionPage, arrived: readonly SessionView[]): Sessions => ({
  status: 'ready',
  items: merged(page.sessions, arrived),
  ...(page.cursor !== undefined && { cursor: page.cursor }),
})

export function withNextPage(sessions: Sessions, page: SessionPage): Sessions {
  return {
    status: 'ready',
    items: merged(sessions.items, page.sessions),
    ...(page.cursor !== undefined && { cursor: page.cursor }),
  }
}
