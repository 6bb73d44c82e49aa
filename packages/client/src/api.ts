import type {
  AnswerNotice,
  AnswerStatus,
  ErrorCode,
  ErrorView,
  FileView,
  MessagePage,
  ModelView,
  ServerFrameOf,
  SessionPage,
  SessionView,
  SpokenView,
  UsageView,
} from '@chatbox/protocol'
import type { Tuning } from './tuning.ts'

/** The little of a WebSocket that the client uses: the browser's own, and `ws` in Node. */
export interface SocketLike {
  readonly readyState: number
  send(data: string): void
  close(code?: number, reason?: string): void
  onopen: ((event: never) => void) | null
  /** Given an event with `data`. */
  onmessage: ((event: never) => void) | null
  /** Given an event with `code` and `reason`. */
  onclose: ((event: never) => void) | null
  onerror: ((event: never) => void) | null
}

export interface ChatOptions {
  /**
   * Where the chat lives, such as `https://chat.example.com`; `/chat/ws` and `/chat/sessions` are below it. In a page it
   * may be relative to the page.
   */
  readonly url: string
  /**
   * Gives a token that is good now. Asked at each connection, and again when the server wants a new one: then with
   * `fresh`, and one from a cache won't do. If it throws it is asked again later, unless what it throws is a `ChatError`
   * that is not retryable: that stops the chat.
   */
  readonly token: (ask: TokenAsk) => string | Promise<string>
  /** What the user holds: one tab, one installation. In a browser it is made and guarded per tab when left out. */
  readonly deviceId?: string
  /** How to open a socket. The platform's `WebSocket` when left out. */
  readonly socket?: (url: string) => SocketLike
  /** How to read over REST. The platform's `fetch` when left out. */
  readonly fetch?: typeof globalThis.fetch
  /** How long a message waits for its acceptance before it is sent again, in ms. Default 6 000. */
  readonly resendAfterMs?: number
  /** How long the server may be silent before the connection is held to be dead, in ms. Default 45 000. */
  readonly silenceMs?: number
  /** For tests: [0, 1). */
  readonly random?: () => number
  /** Times and bounds that hardly anybody needs to change. */
  readonly tuning?: Partial<Tuning>
}

export interface TokenAsk {
  readonly fresh: boolean
}

export type ChatState =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'open' }
  /** Comes back by itself at `at` (ms since 1970). */
  | { readonly kind: 'waiting'; readonly at: number }
  /** Does not come back by itself: `reason` is a close reason such as `replaced`, or `closed` by `close()`. */
  | { readonly kind: 'stopped'; readonly reason: string }

/** An answer as far as it is known here: deltas, snapshots and resets are merged already. */
export interface AnswerState {
  readonly sid: string
  readonly seq: number
  readonly answerId: string
  readonly attempt: number
  readonly status: AnswerStatus
  readonly text: string
  readonly modelId?: string
  readonly usage?: UsageView
  readonly error?: ErrorView
  /** What the user is to know of it: that older messages were left out, or that another model stood in. */
  readonly notices?: AnswerNotice[]
}

/**
 * Messages of one session are accepted in the order of their sending: each waits here until the one before it was
 * accepted or refused. Sessions don't wait for each other.
 */
export interface OutgoingMessage {
  /** The session; left out, the message begins a new chat. */
  readonly sid?: string
  /**
   * Without `sid`: which new chat, by a key of the caller's choice. The first message with a key makes the chat, those
   * with the same key wait for it and follow it there, also later on. Without a key each message makes a chat of its own.
   */
  readonly newChat?: string
  readonly text?: string
  readonly files?: readonly FileView[]
  readonly modelId?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** Made when left out. Give the same one to make sending again safe. */
  readonly clientMessageId?: string
}

export interface Sending {
  readonly clientMessageId: string
  /** The message as the server keeps it, or a `ChatError` that sending again won't mend. */
  readonly accepted: Promise<SpokenView>
  /** Stops trying. The message may have been accepted all the same. */
  abandon(): void
}

export interface ChatEvents {
  state: ChatState
  ready: ServerFrameOf<'ready'>
  /**
   * What is shown must be read over REST; the delay the server asked for has passed. Comes at the very first connection
   * too (without a delay), so that an app has one way to fill its view.
   */
  reload: undefined
  /** May come again after a message was sent twice: (`sid`, `seq`) tells it is the same. */
  message: SpokenView
  /** Each time something about an answer changed. */
  answer: AnswerState
  session: SessionView
  typing: ServerFrameOf<'typing'>
  notice: ServerFrameOf<'notice'>
  /** Errors that answer nothing which still waits. */
  error: ChatErrorShape
}

/**
 * What only the client itself says. `unreachable`: three sockets in a row did not open. It goes on trying, so this is told once, until
 * one opened: the server is away, or refuses the page's origin, which a page can't tell apart.
 */
export type LocalCode = 'abandoned' | 'stopped' | 'unreachable'

export interface ChatErrorShape {
  readonly code: ErrorCode | LocalCode
  readonly message: string
  readonly retryable: boolean
  readonly requestId?: string
  readonly sid?: string
  /** The field of the frame that was at fault. */
  readonly field?: string
  readonly retryAfterMs?: number
}

export interface Chat {
  readonly state: ChatState
  readonly userId: string | undefined
  readonly models: readonly ModelView[]
  /** Opens the connection and keeps it. Harmless when called again; after `stopped` it starts anew. */
  connect(): void
  /** Leaves for good; `connect` may be called later. Messages that wait are kept. */
  close(): void
  /** Queued while there is no connection, sent until it is accepted or refused for good. */
  send(message: OutgoingMessage): Sending
  /**
   * This and the four below it are kept while there is no connection and sent when there is one; a refusal comes as
   * `error`.
   */
  cancel(sid: string, answerId: string): void
  /** Asks for another answer to the question at `seq`. */
  regenerate(sid: string, seq: number, modelId?: string): void
  setModel(sid: string, modelId: string): void
  markRead(sid: string, seq: number): void
  endSession(sid: string): void
  /** Only of use at the moment: forgotten while there is no connection. */
  typing(sid: string, active: boolean): void
  /** What is known of an answer that is being written or ended while this client looked on. */
  answer(answerId: string): AnswerState | undefined
  sessions(page?: { limit?: number; cursor?: string }): Promise<SessionPage>
  session(sid: string): Promise<SessionView>
  messages(sid: string, page?: { before?: number; after?: number; limit?: number }): Promise<MessagePage>
  on<E extends keyof ChatEvents>(event: E, listener: (payload: ChatEvents[E]) => void): () => void
}
