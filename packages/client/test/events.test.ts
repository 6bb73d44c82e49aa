import { describe, expect, test, vi } from 'vitest'
import { ChatError } from '../src/index.ts'
import { createReload } from '../src/reload.ts'
import { connected, observed, server } from './helpers/client.ts'
import { session, updated } from './helpers/frames.ts'
import { readyFrame } from './helpers/server.ts'

describe('reload', () => {
  test('comes at once at the very first connection, where there is nothing to keep', async () => {
    const { heard } = await connected()
    expect(heard.reload).toHaveLength(1)
  })

  test('comes after reloadAfterMs when the position could not be served', async () => {
    const { server, peer, until, heard } = await connected()
    peer.terminate()
    const from = Date.now()
    await (await server.peer()).welcome({ at: 'p7', reloadAfterMs: 150 })
    await until('ready', (ready) => ready.at === 'p7')
    expect(heard.reload).toHaveLength(1)
    await vi.waitFor(() => expect(heard.reload).toHaveLength(2))
    expect(Date.now() - from).toBeGreaterThanOrEqual(148)
  })

  test('does not come when everything was recovered', async () => {
    const { server, peer, until, heard } = await connected()
    peer.terminate()
    const again = await server.peer()
    await again.welcome({ recovered: true })
    again.send({ type: 'notice', code: 'shutdown', message: 'soon' })
    await until('notice')
    expect(heard.reload).toHaveLength(1)
  })

  test('comes in the midst of a connection when the server says so', async () => {
    const { peer, heard } = await connected()
    peer.send(readyFrame({ reloadAfterMs: 10 }))
    await vi.waitFor(() => expect(heard.reload).toHaveLength(2))
    expect(heard.state.map((now) => now.kind)).toEqual(['connecting', 'open'])
  })

  test('is still owed when the connection is lost before its time', async () => {
    const { server, peer, until, heard } = await connected()
    peer.send(readyFrame({ at: 'p7', reloadAfterMs: 60 }))
    await until('ready', (ready) => ready.at === 'p7')
    peer.terminate()
    await (await server.peer()).welcome({ recovered: true })
    await vi.waitFor(() => expect(heard.reload).toHaveLength(2))
  })

  test('waits for a connection, and a doubt does not hurry one that the server put off', () => {
    vi.useFakeTimers()
    const emit = vi.fn()
    const reload = createReload(emit)
    reload.owe(0)
    expect(emit).not.toHaveBeenCalled()
    reload.opened()
    expect(emit).toHaveBeenCalledTimes(1)
    reload.owe(5_000)
    reload.owe(0)
    vi.advanceTimersByTime(4_999)
    expect(emit).toHaveBeenCalledTimes(1)
    reload.closed()
    vi.advanceTimersByTime(60_000)
    expect(emit).toHaveBeenCalledTimes(1)
    reload.opened()
    expect(emit).toHaveBeenCalledTimes(2)
    vi.useRealTimers()
  })
})

describe('session', () => {
  test('an older revision than is known is ignored', async () => {
    const { peer, until, heard } = await connected()
    for (const rev of [2, 1, 2, 3]) peer.send(updated({ rev, name: `rev ${rev}` }))
    peer.send(updated({ id: 's2', rev: 1 }))
    await until('session', (view) => view.id === 's2')
    expect(heard.session.map((view) => view.rev)).toEqual([2, 2, 3, 1])
  })

  test('what REST has told counts as known', async () => {
    const { chat, server, peer, until, heard } = await connected()
    server.rest(({ path }) =>
      path.endsWith('/s1')
        ? { status: 200, body: { session: session({ rev: 5 }) } }
        : { status: 200, body: { sessions: [session({ id: 's2', rev: 9 })] } },
    )
    await chat.session('s1')
    await chat.sessions({ limit: 5 })
    peer.send(updated({ rev: 4 }))
    peer.send(updated({ id: 's2', rev: 8 }))
    peer.send(updated({ id: 's3', rev: 1 }))
    await until('session', (view) => view.id === 's3')
    expect(heard.session).toHaveLength(1)
  })
})

test('typing, notices and errors that answer nothing are passed on', async () => {
  const { peer, until } = await connected()
  peer.send({ type: 'typing', sid: 's1', author: 'admin', active: true, name: 'Eve' })
  peer.send({ type: 'error', code: 'internal', message: 'a fault', retryable: true, requestId: 'r1' })
  expect(await until('typing')).toMatchObject({ name: 'Eve' })
  const error = await until('error')
  expect(error).toBeInstanceOf(ChatError)
  expect(error).toMatchObject({ code: 'internal', message: 'a fault', requestId: 'r1' })
})

test('a listener that throws breaks no other one, and its fault is reported', async () => {
  const reported = vi.fn()
  vi.stubGlobal('reportError', reported)
  const fault = new Error('a bug of the page')
  const started = await server()
  const { chat, until } = observed(started)
  chat.on('notice', () => {
    throw fault
  })
  const heard = vi.fn()
  chat.on('notice', heard)
  chat.connect()
  const peer = await started.peer()
  await peer.welcome()
  peer.send({ type: 'notice', code: 'shutdown', message: 'soon' })
  await until('notice')
  await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce())
  expect(reported).toHaveBeenCalledWith(fault)
  vi.unstubAllGlobals()
})

test('who has left hears nothing, and leaving twice is harmless', async () => {
  const { chat, peer, until } = await connected()
  const twice = vi.fn()
  const leave = chat.on('notice', twice)
  chat.on('notice', twice)
  leave()
  leave()
  peer.send({ type: 'notice', code: 'shutdown', message: 'soon' })
  await until('notice')
  expect(twice).toHaveBeenCalledTimes(1)
})
