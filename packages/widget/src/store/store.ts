import type { Chat } from '@chatbox/client'
import type { SpokenView } from '@chatbox/protocol'
import type { Keep } from '../platform/keep.ts'
import type { Route } from '../platform/route.ts'
import { cell } from './cell.ts'
import { keptOutbox } from './kept-outbox.ts'
import { createListing } from './listing.ts'
import { answering, type Model, readUpTo, sessionOf } from './model.ts'
import { createOpening, newOpen } from './opening.ts'
import { createSender } from './sending.ts'
import { isIncomplete, withAnswer, withSpoken } from './thread.ts'

export interface StoreOptions {
  readonly chat: Chat
  readonly route: Route
  /** Survives a reload of the tab, and is the tab's own. */
  readonly keep: Keep
  /** Whether somebody looks at the page, and when that changes. */
  readonly visible: () => boolean
  readonly onVisible: (listener: () => void) => () => void
}

export interface Store {
  get(): Model
  listen(listener: () => void): () => void
  open(sid: string | undefined): void
  /** Reads again what could not be read. */
  reload(): void
  older(): void
  moreSessions(): void
  send(text: string): void
  /** Sends a question once more, as a new message. */
  again(question: SpokenView): void
  retry(clientMessageId: string): void
  discard(clientMessageId: string): void
  /** Ends the answer that is being written. */
  stop(): void
  chooseModel(modelId: string): void
  connect(): void
  dismiss(): void
  close(): void
}

/** Notices that the state of the connection tells anyhow. */
const TOLD_ELSEWHERE = new Set(['replaced', 'shutdown'])
/** What was asked for was overtaken by what happened: nothing that the user should do anything about. */
const OVERTAKEN = new Set(['conflict', 'not_found', 'abandoned', 'stopped'])

export function createStore({ chat, route, keep, visible, onVisible }: StoreOptions): Store {
  const routed = route.current()
  const model = cell<Model>({
    connection: chat.state,
    models: chat.models,
    sessions: { status: 'loading', items: [] },
    open: routed === undefined ? newOpen() : { ...newOpen(), sid: routed, status: 'loading' },
    outbox: [],
  })
  const listing = createListing(chat, model)
  const opening = createOpening(chat, model)
  const sender = createSender(chat, model, keptOutbox(keep))

  const open = () => model.get().open
  const change = (values: Partial<Model>) => model.set({ ...model.get(), ...values })

  /** The open conversation may be older than all that are listed, and its name and model are shown. */
  const list = async () => {
    const { sid, status } = open()
    if (sid === undefined || status !== 'ready' || sessionOf(model.get(), sid)) return
    await chat.session(sid).then(listing.take, () => undefined)
  }

  const reload = () => {
    void Promise.all([listing.refresh(), opening.refresh()]).then(list)
  }

  const show = (sid: string | undefined) => {
    opening.show(sid)
    void opening.refresh().then(list)
  }

  /** What one user wrote in this tab is not for the next one who signs in here. */
  const greet = (userId: string) => {
    const owner = keep.read('owner')
    const before = model.get().userId
    if (owner !== undefined && owner !== userId) {
      for (const key of keep.keys()) if (isOwned(key)) keep.write(key)
      if (before !== undefined) {
        sender.forget()
        change({ sessions: { status: 'loading', items: [] } })
        route.go(undefined, 'replace')
        show(undefined)
      }
    }
    keep.write('owner', userId)
    if (before === userId) return
    change({ userId })
    const begun = sender.restore().findLast((message) => message.sid === undefined)?.newChat
    if (begun !== undefined && open().sid === undefined) opening.change({ key: begun })
  }

  const take = (message: SpokenView) => {
    const mine = sender.accepted(message)
    if (mine?.newChat === open().key && open().sid === undefined) {
      opening.change({ sid: message.sid })
      route.go(message.sid, 'replace')
    }
    if (message.sid === open().sid) {
      const incomplete = isIncomplete(open().entries, message)
      opening.change({ entries: withSpoken(open().entries, message) })
      if (incomplete) void opening.refresh()
    }
  }

  let marked = { sid: '', seq: 0 }
  const markRead = () => {
    const { sid, status } = open()
    const session = sessionOf(model.get(), sid)
    if (sid === undefined || !session || status !== 'ready' || !visible()) return
    const seq = readUpTo(open())
    if (seq <= session.readSeq || (marked.sid === sid && seq <= marked.seq)) return
    marked = { sid, seq }
    chat.markRead(sid, seq)
  }

  const dismiss = () => {
    const { note: _seen, ...rest } = model.get()
    model.set(rest)
  }

  /** The latest note of what may be well again with the next connection. */
  let passing: string | undefined
  const cleanups = [
    chat.on('state', (connection) => change({ connection })),
    chat.on('ready', (frame) => {
      if (model.get().note === passing) dismiss()
      greet(frame.userId)
      const textLimit = frame.limits.text
      change({ models: chat.models, ...(textLimit !== undefined && { textLimit }) })
    }),
    chat.on('reload', reload),
    chat.on('message', take),
    chat.on('answer', (answer) => {
      if (answer.sid === open().sid) {
        const entries = withAnswer(open().entries, answer)
        if (entries !== open().entries) opening.change({ entries })
      }
    }),
    chat.on('session', (session) => {
      listing.take(session)
      if (session.erased && session.id === open().sid) opening.lose()
    }),
    chat.on('notice', (notice) => {
      const elsewhere = notice.sid !== undefined && notice.sid !== open().sid
      if (!elsewhere && !TOLD_ELSEWHERE.has(notice.code)) change({ note: notice.message })
    }),
    chat.on('error', (error) => {
      if (OVERTAKEN.has(error.code)) return
      // What hinders the connection passes with it, and its bar says meanwhile that there is none.
      if (error.retryable && chat.state.kind !== 'open') return
      change({ note: error.message })
      if (error.retryable) passing = error.message
    }),
    route.listen(() => {
      if (route.current() !== open().sid) show(route.current())
    }),
    model.listen(markRead),
    onVisible(markRead),
  ]

  // A chat that was connected before has had its first `reload` already.
  if (chat.state.kind === 'open') {
    if (chat.userId !== undefined) greet(chat.userId)
    reload()
  }

  return {
    get: model.get,
    listen: model.listen,
    open(sid) {
      if (sid !== undefined && sid === open().sid) return
      show(sid)
      route.go(sid, 'push')
    },
    reload() {
      if (model.get().sessions.status === 'failed') change({ sessions: { ...model.get().sessions, status: 'loading' } })
      reload()
    },
    older: () => void opening.older(),
    moreSessions: () => void listing.next(),
    send(text) {
      const { sid, key } = open()
      const { newModelId } = model.get()
      dismiss()
      if (sid !== undefined) sender.send({ sid, text })
      else sender.send({ newChat: key, text, ...(newModelId !== undefined && { modelId: newModelId }) })
    },
    again(question) {
      dismiss()
      chat.regenerate(question.sid, question.seq)
    },
    retry: sender.retry,
    discard: sender.discard,
    stop() {
      const answer = answering(open())
      if (answer) chat.cancel(answer.sid, answer.answerId)
    },
    chooseModel(modelId) {
      const { sid } = open()
      if (sid === undefined) return change({ newModelId: modelId })
      chat.setModel(sid, modelId)
      // Shown at once; the server's word follows as an event.
      const session = sessionOf(model.get(), sid)
      if (session) listing.take({ ...session, modelId })
    },
    connect: () => chat.connect(),
    dismiss,
    close() {
      for (const cleanup of cleanups) cleanup()
    },
  }
}

const isOwned = (key: string): boolean => key === 'outbox' || key.startsWith('draft.')
