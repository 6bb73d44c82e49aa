import type { Chat } from '@chatbox/client'
import { randomId } from '../platform/ids.ts'
import type { Cell } from './cell.ts'
import { failureOf } from './failure.ts'
import { isPending, type Model, type Open } from './model.ts'
import { type Entries, withAnswer, withLatest, withOlder } from './thread.ts'

const PAGE = 50

export const newOpen = (key: string = randomId()): Open => ({
  key,
  status: 'ready',
  entries: [],
  more: false,
  older: 'idle',
})

export interface Opening {
  show(sid: string | undefined): void
  /** Reads the latest page of the open conversation (again). */
  refresh(): Promise<void>
  older(): Promise<void>
  /** The open conversation is no more. */
  lose(): void
  change(change: Partial<Open>): void
}

/** Keeps `model.open`: which conversation is shown, and its history. Events are merged in by the store. */
export function createOpening(chat: Chat, model: Cell<Model>): Opening {
  // An answer to an earlier question than the latest is of no interest.
  let latest = 0

  const open = () => model.get().open
  const change = (values: Partial<Open>) => model.set({ ...model.get(), open: { ...open(), ...values } })

  /** History does not hold what a pending answer has said so far; the client may. */
  const withLiveText = (entries: Entries): Entries =>
    entries.filter(isPending).reduce((merged, { answerId }) => {
      const live = chat.answer(answerId)
      return live ? withAnswer(merged, live) : merged
    }, entries)

  const lose = () => {
    latest++
    change({ status: 'missing', entries: [], more: false })
  }

  const refresh = async () => {
    const { key, sid } = open()
    if (sid === undefined) return
    const asked = ++latest
    const isStale = () => asked !== latest || open().key !== key
    try {
      const page = await chat.messages(sid, { limit: PAGE })
      if (isStale()) return
      const loaded = withLatest(open(), page)
      change({ status: 'ready', entries: withLiveText(loaded.entries), more: loaded.more })
    } catch (error) {
      if (isStale()) return
      // What is here already stays; a connection that comes back leads to another try.
      if (failureOf(error).code === 'not_found') lose()
      else if (open().status === 'loading') change({ status: 'failed' })
    }
  }

  return {
    show(sid) {
      if (sid !== undefined && sid === open().sid) return
      latest++
      model.set({
        ...model.get(),
        open: sid === undefined ? newOpen() : { ...newOpen(), sid, status: 'loading' },
      })
    },
    async refresh() {
      if (open().status === 'failed') change({ status: 'loading' })
      await refresh()
    },
    async older() {
      const { key, sid, entries, more, older } = open()
      const before = entries[0]?.seq
      if (sid === undefined || before === undefined || !more || older === 'loading') return
      change({ older: 'loading' })
      try {
        const page = await chat.messages(sid, { before, limit: PAGE })
        if (open().key !== key) return
        // A reload in between may have dropped the entries that this page joins.
        if (open().entries[0]?.seq !== before) return change({ older: 'idle' })
        change({ ...withOlder(open().entries, page), older: 'idle' })
      } catch {
        if (open().key === key) change({ older: 'failed' })
      }
    },
    lose,
    change,
  }
}
