import type { AnswerState, Chat, ChatEvents, ChatState, OutgoingMessage, Sending } from '@chatbox/client'
import type { AnswerView, MessageView, ModelView, SessionView, SpokenView } from '@chatbox/protocol'

/** A `Chat` without a server: a test plays the server's part. */
export interface FakeChat extends Chat {
  state: ChatState
  userId: string | undefined
  models: readonly ModelView[]
  /** What REST would give. */
  readonly stored: { sessions: SessionView[]; messages: MessageView[]; cursor?: string }
  /** What was asked for, in order: name and arguments. */
  readonly calls: [string, ...unknown[]][]
  readonly sent: FakeSending[]
  /** While set, REST rejects with it. */
  restError: unknown
  /** How long REST takes: until this is called, when it is set. */
  hold: Promise<void> | undefined
  emit<E extends keyof ChatEvents>(event: E, payload: ChatEvents[E]): void
  become(state: ChatState): void
  /** The first connection: `ready`, then `reload`. */
  welcome(userId?: string, models?: readonly ModelView[]): void
}

export interface FakeSending extends Sending {
  readonly message: OutgoingMessage
  abandoned: boolean
  accept(message: SpokenView): void
  refuse(error: unknown): void
}

type Listener = (payload: never) => void

export function fakeChat(): FakeChat {
  const listeners = new Map<string, Set<Listener>>()
  const called =
    (name: string) =>
    (...args: unknown[]): void => {
      chat.calls.push([name, ...args])
    }
  const rest = async <T>(name: string, args: unknown[], value: () => T): Promise<T> => {
    chat.calls.push([name, ...args])
    const { hold, restError } = chat
    await hold
    if (restError !== undefined) throw restError
    return value()
  }
  const answers = new Map<string, AnswerState>()

  const chat: FakeChat = {
    state: { kind: 'idle' },
    userId: undefined,
    models: [],
    stored: { sessions: [], messages: [] },
    calls: [],
    sent: [],
    restError: undefined,
    hold: undefined,
    connect: called('connect'),
    close: called('close'),
    cancel: called('cancel'),
    regenerate: called('regenerate'),
    setModel: called('setModel'),
    markRead: called('markRead'),
    endSession: called('endSession'),
    typing: called('typing'),
    answer: (answerId) => answers.get(answerId),
    send(message) {
      const { promise, resolve, reject } = deferred<SpokenView>()
      const sending: FakeSending = {
        message,
        clientMessageId: message.clientMessageId ?? 'none',
        accepted: promise,
        abandoned: false,
        abandon() {
          sending.abandoned = true
          reject({ code: 'abandoned', message: 'abandoned', retryable: false })
        },
        accept(view) {
          resolve(view)
          chat.emit('message', view)
        },
        refuse: reject,
      }
      chat.sent.push(sending)
      return sending
    },
    sessions: (page) =>
      rest('sessions', [page], () => ({
        sessions: [...chat.stored.sessions],
        ...(chat.stored.cursor !== undefined && { cursor: chat.stored.cursor }),
      })),
    session: (sid) =>
      rest('session', [sid], () => {
        const found = chat.stored.sessions.find((session) => session.id === sid)
        if (!found) throw notFound
        return found
      }),
    messages: (sid, page = {}) =>
      rest('messages', [sid, page], () => {
        const all = chat.stored.messages.filter(
          (message) => message.sid === sid && message.seq < (page.before ?? Number.POSITIVE_INFINITY),
        )
        if (all.length === 0 && page.before === undefined) throw notFound
        const messages = all.slice(-(page.limit ?? 50))
        return { messages, more: messages.length < all.length }
      }),
    on(event, listener) {
      const set = listeners.get(event) ?? new Set()
      listeners.set(event, set.add(listener as Listener))
      return () => set.delete(listener as Listener)
    },
    emit(event, payload) {
      if (event === 'answer') {
        const answer = payload as AnswerState
        answers.set(answer.answerId, answer)
      }
      for (const listener of [...(listeners.get(event) ?? [])]) listener(payload as never)
    },
    become(state) {
      chat.state = state
      chat.emit('state', state)
    },
    welcome(userId = 'user', models = chat.models) {
      chat.userId = userId
      chat.models = models
      chat.become({ kind: 'open' })
      chat.emit('ready', {
        type: 'ready',
        protocol: 1,
        connectionId: 'c',
        userId,
        at: '1',
        recovered: false,
        models: [...models],
        limits: { text: 10_000 },
        pingMs: 25_000,
        expiresAt: 0,
      })
      chat.emit('reload', undefined)
    },
  }
  return chat
}

const notFound = { code: 'not_found', message: 'There is no such thing here.', retryable: false }

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  promise.catch(() => undefined)
  return { promise, resolve, reject }
}

export const session = (id: string, more: Partial<SessionView> = {}): SessionView => ({
  id,
  name: `Name of ${id}`,
  modelId: 'demo',
  startedAt: 1,
  lastActivity: 1,
  messageCount: 0,
  totalTokens: 0,
  totalCost: 0,
  readSeq: 0,
  unreadCount: 0,
  helpRequested: false,
  rev: 1,
  ...more,
})

export const question = (sid: string, seq: number, more: Partial<SpokenView> = {}): SpokenView => ({
  sid,
  seq,
  ts: seq,
  author: 'user',
  kind: 'text',
  text: `question ${seq}`,
  answer: { answerId: `${sid}-${seq + 1}`, seq: seq + 1, status: 'pending', modelId: 'demo' },
  ...more,
})

export const answer = (sid: string, seq: number, more: Partial<AnswerState> = {}): AnswerState => ({
  sid,
  seq,
  answerId: `${sid}-${seq}`,
  attempt: 1,
  status: 'pending',
  text: '',
  ...more,
})

export const storedAnswer = (sid: string, seq: number, text = `answer ${seq}`): AnswerView => ({
  sid,
  seq,
  ts: seq,
  author: 'assistant',
  kind: 'text',
  text,
  answerId: `${sid}-${seq}`,
  status: 'done',
  modelId: 'demo',
})
