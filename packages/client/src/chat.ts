import type { MessagePage, ModelView, ServerFrame, ServerFrameOf, SessionBody, SessionPage } from '@chatbox/protocol'
import { createAnswers } from './answers.ts'
import type { Chat, ChatEvents, ChatOptions, ChatState } from './api.ts'
import { jittered } from './backoff.ts'
import { type Command, createCommands } from './commands.ts'
import { createConnection } from './connection.ts'
import { createDevice } from './device.ts'
import { createEmitter } from './emitter.ts'
import { ChatError, localError } from './errors.ts'
import { createOutbox } from './outbox.ts'
import { endpoints, socketMaker } from './platform.ts'
import { createReload } from './reload.ts'
import { createRest } from './rest.ts'
import { createRevisions } from './revisions.ts'
import { createTokens } from './tokens.ts'
import { defaultTuning } from './tuning.ts'

export const CLIENT = 'chatbox-client/0.1.0'

/** What `ready.limits` says when it says nothing. */
const FRAME_LIMIT = 65_536

export function createChat(options: ChatOptions): Chat {
  const tuning = { ...defaultTuning, ...options.tuning }
  const random = options.random ?? Math.random
  const { socketUrl, sessionsUrl } = endpoints(options.url)
  const events = createEmitter<ChatEvents>()
  const tokens = createTokens(options.token)
  const rest = createRest({
    base: sessionsUrl,
    tokens,
    fetch: options.fetch ?? ((...request) => globalThis.fetch(...request)),
    timeoutMs: tuning.restMs,
  })
  const revisions = createRevisions()
  const reload = createReload(() => events.emit('reload', undefined))

  let userId: string | undefined
  let models: readonly ModelView[] = []
  let frameLimit = FRAME_LIMIT
  /** The position of the last event that was seen. */
  let at: string | undefined

  const answers = createAnswers({
    max: tuning.maxAnswers,
    onAnswer: (state) => events.emit('answer', state),
    retryAfterMs: (tries) => jittered(tries, tuning, random),
    onDoubt: () => reload.owe(0),
    async fetchStored(sid, seq, answerId) {
      const page = await rest.get<MessagePage>([sid, 'messages'], { after: seq - 1, limit: 2 })
      for (const message of page.messages) {
        if (message.author === 'assistant' && message.answerId === answerId) return message
      }
      return undefined
    },
  })
  const outbox = createOutbox({
    resendAfterMs: options.resendAfterMs ?? 6_000,
    tuning,
    random,
    frameLimit: () => frameLimit,
    transmit: (frame) => connection.send(frame),
  })
  const commands = createCommands({ tuning, random, transmit: (frame) => connection.send(frame) })

  const connection = createConnection({
    tokens,
    device: createDevice(options.deviceId),
    tuning,
    silenceMs: options.silenceMs ?? 45_000,
    random,
    open: () => socketMaker(options.socket)(socketUrl),
    hello: (token, deviceId) => ({
      type: 'hello',
      token,
      deviceId,
      ...(at === undefined ? {} : { resume: at }),
      client: CLIENT,
    }),
    onWelcome: (frame) => welcome(frame),
    onState: (state) => stateChanged(state),
    onFrame: (frame) => take(frame),
    onError: (error) => events.emit('error', error),
  })

  const stateChanged = (state: ChatState) => {
    if (state.kind !== 'open') {
      outbox.closed()
      commands.closed()
      reload.closed()
    }
    events.emit('state', state)
  }

  const welcome = (frame: ServerFrameOf<'ready'>) => {
    if (userId !== undefined && userId !== frame.userId) {
      // What one user wrote must not be sent in the name of another.
      outbox.clear(localError('stopped', 'Somebody else has signed in; this was not sent.', false))
      commands.clear()
      answers.clear()
      revisions.clear()
    }
    userId = frame.userId
    models = frame.models
    frameLimit = frame.limits.frame ?? FRAME_LIMIT
    // While missed events are still to come, the position is that of the last one that came (P4).
    if (!frame.recovered) at = frame.at
  }

  const ready = (frame: ServerFrameOf<'ready'>) => {
    events.emit('ready', frame)
    if (!frame.recovered) reload.owe(frame.reloadAfterMs ?? 0)
    // Whoever heard that may have closed it.
    if (connection.state.kind !== 'open') return
    reload.opened()
    outbox.opened()
    commands.opened()
  }

  const take = (frame: ServerFrame) => {
    // Events of somebody else's session, for those who watch: their positions are of another log.
    if ('of' in frame && frame.of !== undefined) return
    if ('at' in frame && frame.at !== undefined && frame.type !== 'ready') at = frame.at
    commands.seen(frame)
    switch (frame.type) {
      case 'ready':
        return ready(frame)
      case 'message': {
        const { type: _type, at: _at, of: _of, ...view } = frame
        outbox.accepted(view)
        events.emit('message', view)
        if (view.answer) answers.expect(view.sid, view.answer)
        return
      }
      case 'answer.started':
      case 'answer.delta':
      case 'answer.snapshot':
      case 'answer.reset':
        return answers.stream(frame)
      case 'answer.done':
        return answers.done(frame)
      case 'session.updated':
        if (revisions.isNews(frame.sid, frame.rev)) events.emit('session', frame.session)
        return
      case 'typing':
        return events.emit('typing', frame)
      case 'notice':
        return events.emit('notice', frame)
      case 'error':
        if (!outbox.refused(frame) && !commands.retried(frame)) events.emit('error', new ChatError(frame))
        return
      default:
        // `reconnect` and `pong` are the connection's; what is not known is passed over.
        return
    }
  }

  const command = (wish: Command) => commands.add(wish)

  return {
    get state() {
      return connection.state
    },
    get userId() {
      return userId
    },
    get models() {
      return models
    },
    connect() {
      // Said at once, not by a chat that tries for ever.
      socketMaker(options.socket)
      connection.start()
    },
    close: () => connection.stop(),
    send: (message) => outbox.add(message),
    cancel: (sid, answerId) => command({ type: 'answer.cancel', sid, answerId }),
    regenerate: (sid, seq, modelId) =>
      command({ type: 'answer.regenerate', sid, seq, ...(modelId === undefined ? {} : { modelId }) }),
    setModel: (sid, modelId) => command({ type: 'session.model', sid, modelId }),
    markRead: (sid, seq) => command({ type: 'session.read', sid, seq }),
    endSession: (sid) => command({ type: 'session.end', sid }),
    typing: (sid, active) => {
      connection.send({ type: 'typing', sid, active })
    },
    answer: (answerId) => answers.get(answerId),
    async sessions(page = {}) {
      const body = await rest.get<SessionPage>([], page)
      for (const session of body.sessions) revisions.isNews(session.id, session.rev)
      return body
    },
    async session(sid) {
      const { session } = await rest.get<SessionBody>([sid])
      revisions.isNews(session.id, session.rev)
      return session
    },
    async messages(sid, page = {}) {
      const body = await rest.get<MessagePage>([sid, 'messages'], page)
      answers.stored(body.messages)
      return body
    },
    on: events.on,
  }
}
