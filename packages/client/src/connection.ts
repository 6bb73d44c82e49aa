import type { ClientFrame, ServerFrame, ServerFrameOf } from '@chatbox/protocol'
import type { ChatState, SocketLike } from './api.ts'
import { createBackoff } from './backoff.ts'
import { afterClose, reasonOf } from './close-codes.ts'
import type { Device } from './device.ts'
import { ChatError, localError } from './errors.ts'
import { listenForHints } from './hints.ts'
import { type Cancel, later } from './later.ts'
import { type Link, openLink } from './link.ts'
import { createRenewal } from './renewal.ts'
import type { Tokens } from './tokens.ts'
import type { Tuning } from './tuning.ts'

export interface ConnectionOptions {
  readonly tokens: Tokens
  readonly device: Device
  readonly tuning: Tuning
  readonly silenceMs: number
  readonly random: () => number
  open(): SocketLike
  hello(token: string, deviceId: string): ClientFrame
  /** Each `ready`, before anybody else hears that the connection is open. */
  onWelcome(frame: ServerFrameOf<'ready'>): void
  onState(state: ChatState): void
  onFrame(frame: ServerFrame): void
  onError(error: ChatError): void
}

/** Keeps one connection: opens it, notices when it is dead, comes back or stays away as the close code says. */
export interface Connection {
  readonly state: ChatState
  start(): void
  stop(): void
  /** False when there is no connection that is ready. */
  send(frame: ClientFrame | string): boolean
}

const ABNORMAL = 1006

/** After so many sockets in a row that never opened somebody should be told why that may be. */
const TELL_AFTER = 3
const UNREACHABLE =
  'The chat cannot be reached: the server is away, or it does not let this page in (its origin must be one of WS_ALLOWED_ORIGINS).'

export function createConnection(options: ConnectionOptions): Connection {
  const { tokens, device, tuning, random } = options
  const backoff = createBackoff(tuning, random)
  let state: ChatState = { kind: 'idle' }
  let link: Link | undefined
  /** Counts attempts, so that what a former one still has under way is ignored when it comes. */
  let attempts = 0
  let readyAt: number | undefined
  /** The server told when to come back. */
  let toldAt = 0
  /** A token was refused and no connection has been ready since. */
  let refused = false
  /** Sockets in a row that never opened. To a page a refused upgrade looks like a server that is away. */
  let unopened = 0
  let cancelTimer: Cancel = () => undefined
  let ignoreHints: Cancel = () => undefined

  const send = (frame: ClientFrame | string) => state.kind === 'open' && (link?.send(frame) ?? false)
  const renewal = createRenewal({
    tokens,
    refreshAheadMs: tuning.refreshAheadMs,
    send,
    onError: options.onError,
  })

  const become = (next: ChatState) => {
    state = next
    options.onState(next)
  }

  const leave = () => {
    attempts++
    cancelTimer()
    renewal.stop()
    link?.end()
    link = undefined
  }

  const attempt = async () => {
    const mine = ++attempts
    cancelTimer = later(tuning.connectMs, () => lost(ABNORMAL, ''))
    become({ kind: 'connecting' })
    try {
      const [token, deviceId] = await Promise.all([tokens.ask(refused), device.acquire()])
      if (mine !== attempts) return
      link = openLink({
        socket: options.open(),
        hello: options.hello(token, deviceId),
        silenceMs: options.silenceMs,
        probeMs: tuning.probeMs,
        onFrame: hear,
        onClosed: lost,
      })
    } catch (error) {
      if (mine !== attempts) return
      const fault =
        error instanceof ChatError ? error : localError('internal', 'No connection could be opened.', true, error)
      if (!fault.retryable) return halt(fault.code)
      lost(ABNORMAL, '')
      options.onError(fault)
    }
  }

  const hear = (frame: ServerFrame) => {
    const mine = attempts
    switch (frame.type) {
      case 'ready':
        link?.settle(frame.pingMs)
        options.onWelcome(frame)
        if (state.kind !== 'open') {
          cancelTimer()
          refused = false
          toldAt = 0
          readyAt = Date.now()
          become({ kind: 'open' })
          // Whoever heard that may have closed it.
          if (mine !== attempts) return
        }
        renewal.begin(frame.expiresAt)
        break
      case 'reconnect':
        toldAt = Date.now() + frame.afterMs
        break
      case 'error':
        // One that answers a message delays that message; any other is about the connection.
        if (frame.retryAfterMs !== undefined && frame.clientMessageId === undefined) {
          toldAt = Math.max(toldAt, Date.now() + frame.retryAfterMs)
        }
        if (frame.code === 'token_expired') renewal.now()
        break
      case 'pong':
        renewal.clock(frame.ts)
        break
    }
    options.onFrame(frame)
  }

  const lost = (code: number, said: string) => {
    if (link) unopened = link.opened ? 0 : unopened + 1
    const tell = link !== undefined && unopened === TELL_AFTER
    leave()
    const after = afterClose(code)
    if (after === 'stop' || (after === 'refresh' && refused)) {
      halt(reasonOf(code, said))
      return
    }
    if (after === 'refresh') refused = true
    if (readyAt !== undefined && Date.now() - readyAt >= tuning.steadyMs) backoff.reset()
    readyAt = undefined
    // What was said long ago says nothing about now.
    const delay = toldAt > Date.now() ? toldAt - Date.now() : backoff.next()
    wait(delay)
    if (tell) options.onError(localError('unreachable', UNREACHABLE, true))
  }

  const wait = (delay: number) => {
    cancelTimer = later(delay, () => void attempt())
    become({ kind: 'waiting', at: Date.now() + delay })
  }

  const halt = (reason: string) => {
    leave()
    ignoreHints()
    readyAt = undefined
    become({ kind: 'stopped', reason })
  }

  const hint = () => {
    if (state.kind === 'open') link?.probe()
    // A whole office hears `online` at once, hence the jitter; and what the server asked for is not cut short.
    if (state.kind !== 'waiting' || toldAt > Date.now()) return
    const delay = random() * tuning.backoffBaseMs
    if (Date.now() + delay >= state.at) return
    cancelTimer()
    wait(delay)
  }

  const offline = () => {
    if (state.kind === 'open') lost(ABNORMAL, '')
  }

  return {
    get state() {
      return state
    },
    start() {
      if (state.kind !== 'idle' && state.kind !== 'stopped') return
      backoff.reset()
      refused = false
      toldAt = 0
      unopened = 0
      ignoreHints = listenForHints({ hint, offline })
      void attempt()
    },
    stop() {
      if (state.kind === 'stopped') become({ kind: 'stopped', reason: 'closed' })
      else halt('closed')
      device.release()
    },
    send,
  }
}
