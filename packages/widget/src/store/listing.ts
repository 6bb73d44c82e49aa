import type { Chat } from '@chatbox/client'
import type { SessionView } from '@chatbox/protocol'
import type { Cell } from './cell.ts'
import type { Model, Sessions } from './model.ts'
import { withFirstPage, withNextPage, without, withSession } from './sessions.ts'

const PAGE = 30

export interface Listing {
  refresh(): Promise<void>
  next(): Promise<void>
  take(session: SessionView): void
}

/** Keeps `model.sessions`. */
export function createListing(chat: Chat, model: Cell<Model>): Listing {
  let latest = 0
  let arrived: SessionView[] = []
  /** A page that was read before must not bring them back. */
  const erased = new Set<string>()

  const set = (sessions: Sessions) => model.set({ ...model.get(), sessions: without(sessions, erased) })

  return {
    async refresh() {
      const asked = ++latest
      arrived = []
      try {
        const page = await chat.sessions({ limit: PAGE })
        if (asked === latest) set(withFirstPage(page, arrived))
      } catch {
        // A list that is here already stays; a connection that comes back leads to another try.
        if (asked === latest && model.get().sessions.status === 'loading')
          set({ ...model.get().sessions, status: 'failed' })
      }
    },
    async next() {
      const { sessions } = model.get()
      if (sessions.cursor === undefined || sessions.status === 'loading') return
      const asked = latest
      set({ ...sessions, status: 'loading' })
      try {
        const page = await chat.sessions({ limit: PAGE, cursor: sessions.cursor })
        if (asked === latest) set(withNextPage(model.get().sessions, page))
      } catch {
        if (asked === latest) set({ ...model.get().sessions, status: 'failed' })
      }
    },
    take(session) {
      if (session.erased) erased.add(session.id)
      arrived.push(session)
      set(withSession(model.get().sessions, session))
    },
  }
}
