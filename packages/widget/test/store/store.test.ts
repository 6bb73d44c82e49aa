import { describe, expect, it } from 'vitest'
import { outgoingOf } from '../../src/store/model.ts'
import { answer, question, session, storedAnswer } from '../fake-chat.ts'
import { settled, setUp } from './set-up.ts'

const sessionNames = (store: ReturnType<typeof setUp>['store']) => store.get().sessions.items.map(({ id }) => id)

describe('the list of sessions', () => {
  it('is filled when the chat says that it must be read, the latest activity first', async () => {
    const { chat, store } = setUp()
    chat.stored.sessions = [session('a', { lastActivity: 1 }), session('b', { lastActivity: 2 })]
    expect(store.get().sessions.status).toBe('loading')
    chat.welcome()
    await settled()
    expect(sessionNames(store)).toEqual(['b', 'a'])
    chat.emit('session', session('a', { lastActivity: 3, rev: 2 }))
    expect(sessionNames(store)).toEqual(['a', 'b'])
  })

  it('ignores a state of a session that was overtaken by a newer one', async () => {
    const { chat, store } = setUp()
    chat.stored.sessions = [session('a', { rev: 5, name: 'new' })]
    chat.welcome()
    await settled()
    chat.emit('session', session('a', { rev: 4, name: 'old' }))
    expect(store.get().sessions.items[0]?.name).toBe('new')
  })

  it('loses what a new reading does not name, but not what came while it was read', async () => {
    const { chat, store } = setUp()
    chat.stored.sessions = [session('a')]
    chat.welcome()
    await settled()
    chat.stored.sessions = [session('b')]
    chat.emit('reload', undefined)
    chat.emit('session', session('c'))
    await settled()
    expect(sessionNames(store).sort()).toEqual(['b', 'c'])
  })

  it('loses a session that was erased, whatever a page says that was read before', async () => {
    const { chat, store } = setUp()
    chat.stored.sessions = [session('a'), session('b')]
    chat.welcome()
    await settled()
    chat.emit('reload', undefined)
    chat.emit('session', session('a', { erased: true, rev: 2 }))
    expect(sessionNames(store)).toEqual(['b'])
    await settled()
    expect(sessionNames(store)).toEqual(['b'])
    chat.emit('reload', undefined)
    await settled()
    expect(sessionNames(store)).toEqual(['b'])
  })

  it('says so when it could not be read, and can be read again', async () => {
    const { chat, store } = setUp()
    chat.restError = { code: 'unavailable', message: 'no', retryable: true }
    chat.welcome()
    await settled()
    expect(store.get().sessions.status).toBe('failed')
    chat.restError = undefined
    store.reload()
    await settled()
    expect(store.get().sessions.status).toBe('ready')
  })
})

describe('a new chat', () => {
  it('gets its id and its address when its first message is accepted', async () => {
    const { chat, route, store } = setUp()
    chat.welcome()
    const { key } = store.get().open
    store.send('hello')
    expect(outgoingOf(store.get()).map(({ text }) => text)).toEqual(['hello'])
    const sending = chat.sent[0]
    expect(sending?.message).toMatchObject({ newChat: key, text: 'hello' })
    sending?.accept(question('new', 1, { text: 'hello', clientMessageId: sending.clientMessageId }))
    expect(outgoingOf(store.get())).toEqual([])
    expect(store.get().open).toMatchObject({ key, sid: 'new', status: 'ready' })
    expect(store.get().open.entries.map(({ seq }) => seq)).toEqual([1, 2])
    expect(route.steps).toEqual(['replace new'])
    store.send('more')
    expect(chat.sent[1]?.message).toMatchObject({ sid: 'new', text: 'more' })
  })

  it('stays open when another device begins one', () => {
    const { chat, store } = setUp()
    chat.welcome()
    chat.emit('message', question('other', 1, { clientMessageId: 'not ours' }))
    expect(store.get().open.sid).toBeUndefined()
    expect(store.get().open.entries).toEqual([])
  })

  it('is begun with the model that was chosen for it', () => {
    const { chat, store } = setUp()
    store.chooseModel('large')
    store.send('hello')
    expect(chat.sent[0]?.message.modelId).toBe('large')
  })
})

describe('an open conversation', () => {
  it('is the one that the address names, and is read over REST', async () => {
    const { chat, store } = setUp('s')
    chat.stored.messages = [question('s', 1), storedAnswer('s', 2)]
    chat.stored.sessions = []
    chat.welcome()
    await settled()
    expect(store.get().open).toMatchObject({ sid: 's', status: 'ready' })
    expect(store.get().open.entries.map(({ text }) => text)).toEqual(['question 1', 'answer 2'])
  })

  it('shows what a pending answer has said so far, which history does not tell', async () => {
    const { chat, store } = setUp('s')
    chat.stored.messages = [question('s', 1), { ...storedAnswer('s', 2, ''), status: 'pending' }]
    chat.emit('answer', answer('s', 2, { text: 'so far' }))
    chat.welcome()
    await settled()
    expect(store.get().open.entries[1]?.text).toBe('so far')
  })

  it('does not mix in what was asked for another one, however late it comes', async () => {
    const { chat, store } = setUp()
    chat.stored.messages = [
      question('a', 1),
      storedAnswer('a', 2, 'of a'),
      question('b', 1),
      storedAnswer('b', 2, 'of b'),
    ]
    chat.welcome()
    let release: () => void = () => undefined
    chat.hold = new Promise((resolve) => {
      release = resolve
    })
    store.open('a')
    chat.hold = undefined
    store.open('b')
    await settled()
    const ofB = ['question 1', 'of b']
    expect(store.get().open.entries.map(({ text }) => text)).toEqual(ofB)
    release()
    await settled()
    chat.emit('answer', answer('a', 4, { text: 'of a' }))
    expect(store.get().open.entries.map(({ text }) => text)).toEqual(ofB)
  })

  it('says so when there is no such conversation', async () => {
    const { chat, store } = setUp('gone')
    chat.welcome()
    await settled()
    expect(store.get().open.status).toBe('missing')
  })

  it('shows nothing more of one that is erased while it is open', async () => {
    const { chat, store } = setUp('a')
    chat.stored.messages = [question('a', 1), storedAnswer('a', 2)]
    chat.stored.sessions = [session('a')]
    chat.welcome()
    await settled()
    expect(store.get().open.entries).toHaveLength(2)
    chat.emit('reload', undefined)
    chat.emit('session', session('a', { erased: true, rev: 2 }))
    await settled()
    expect(store.get().open).toMatchObject({ status: 'missing', entries: [] })
  })

  it('follows the back button', async () => {
    const { chat, route, store } = setUp()
    chat.stored.messages = [question('a', 1), storedAnswer('a', 2)]
    chat.welcome()
    store.open('a')
    expect(route.steps).toEqual(['push a'])
    route.back(undefined)
    expect(store.get().open.sid).toBeUndefined()
    route.back('a')
    expect(store.get().open.sid).toBe('a')
  })

  it('loads older messages page by page', async () => {
    const { chat, store } = setUp('s')
    chat.stored.messages = Array.from({ length: 120 }, (_, n) =>
      n % 2 === 0 ? question('s', n + 1) : storedAnswer('s', n + 1),
    )
    chat.welcome()
    await settled()
    expect(store.get().open).toMatchObject({ more: true })
    expect(store.get().open.entries).toHaveLength(50)
    store.older()
    store.older()
    await settled()
    expect(chat.calls.filter(([name]) => name === 'messages')).toHaveLength(2)
    expect(store.get().open.entries).toHaveLength(100)
    store.older()
    await settled()
    expect(store.get().open.entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 120 }, (_, n) => n + 1))
    expect(store.get().open.more).toBe(false)
  })

  it('keeps what it shows when a reload fails', async () => {
    const { chat, store } = setUp('s')
    chat.stored.messages = [question('s', 1), storedAnswer('s', 2)]
    chat.welcome()
    await settled()
    chat.restError = { code: 'unavailable', message: 'no', retryable: true }
    chat.emit('reload', undefined)
    await settled()
    expect(store.get().open).toMatchObject({ status: 'ready' })
    expect(store.get().open.entries).toHaveLength(2)
  })

  it('stops the answer that is being written', async () => {
    const { chat, store } = setUp('s')
    chat.stored.messages = [question('s', 1), storedAnswer('s', 2)]
    chat.welcome()
    await settled()
    chat.emit('message', question('s', 3))
    chat.emit('message', question('s', 5))
    store.stop()
    expect(chat.calls).toContainEqual(['cancel', 's', 's-4'])
  })

  it('is marked as read up to the first answer that is not finished, when somebody looks at it', async () => {
    const { chat, store, look } = setUp('s')
    const marks = () => chat.calls.filter(([name]) => name === 'markRead')
    chat.stored.sessions = [session('s', { messageCount: 2 })]
    chat.stored.messages = [question('s', 1), storedAnswer('s', 2)]
    look(false)
    chat.welcome()
    await settled()
    expect(marks()).toEqual([])
    look(true)
    expect(marks()).toEqual([['markRead', 's', 2]])
    chat.emit('message', question('s', 3))
    expect(marks().at(-1)).toEqual(['markRead', 's', 3])
    chat.emit('answer', answer('s', 4, { text: 'x' }))
    expect(marks()).toHaveLength(2)
    chat.emit('answer', answer('s', 4, { text: 'xy', status: 'done' }))
    expect(marks().at(-1)).toEqual(['markRead', 's', 4])
    expect(store.get().open.entries).toHaveLength(4)
  })
})

describe('what the server says besides', () => {
  it('is shown until it is dismissed, unless it is of no use to the user', () => {
    const { chat, store } = setUp()
    chat.welcome()
    chat.emit('error', { code: 'conflict', message: 'overtaken', retryable: false })
    chat.emit('notice', { type: 'notice', code: 'replaced', message: 'replaced' })
    chat.emit('notice', { type: 'notice', code: 'connection_limit', message: 'of another', sid: 'other' })
    expect(store.get().note).toBeUndefined()
    chat.emit('notice', { type: 'notice', code: 'connection_limit', message: 'Too many devices.' })
    expect(store.get().note).toBe('Too many devices.')
    store.dismiss()
    expect(store.get().note).toBeUndefined()
  })

  it('is left to the bar of the connection where it hinders that, and will pass', () => {
    const { chat, store } = setUp()
    const noToken = { code: 'unauthorized', message: 'No token could be had.', retryable: true } as const
    chat.become({ kind: 'waiting', at: 1 })
    chat.emit('error', noToken)
    expect(store.get().note).toBeUndefined()
    chat.emit('error', { ...noToken, message: 'For good.', retryable: false })
    expect(store.get().note).toBe('For good.')
  })

  it('goes when the chat is ready again, if it could pass, and stays if not', () => {
    const { chat, store } = setUp()
    chat.welcome()
    chat.emit('error', { code: 'unauthorized', message: 'No token could be had.', retryable: true })
    expect(store.get().note).toBe('No token could be had.')
    chat.become({ kind: 'connecting' })
    chat.welcome()
    expect(store.get().note).toBeUndefined()
    chat.emit('error', { code: 'forbidden', message: 'Not allowed.', retryable: false })
    chat.welcome()
    expect(store.get().note).toBe('Not allowed.')
  })

  it('is no longer heard once the store is closed', () => {
    const { chat, store } = setUp()
    store.close()
    chat.welcome()
    expect(store.get().connection.kind).toBe('idle')
  })
})
