import { expect, test, vi } from 'vitest'
import { barrier, connected, observed, server } from './helpers/client.ts'
import { done, spoken, updated } from './helpers/frames.ts'

const wishes = (peer: { frames: readonly { type: string }[] }) =>
  peer.frames.filter((frame) => !['hello', 'typing', 'ping'].includes(frame.type)).map((frame) => frame.type)

test('each becomes its frame', async () => {
  const { chat, peer } = await connected()
  chat.cancel('s1', 'a1')
  chat.regenerate('s1', 1, 'demo')
  chat.regenerate('s1', 3)
  chat.setModel('s1', 'demo')
  chat.markRead('s1', 4)
  chat.endSession('s1')
  await barrier(chat, peer)
  expect(peer.frames.slice(1)).toMatchObject([
    { type: 'answer.cancel', sid: 's1', answerId: 'a1' },
    { type: 'answer.regenerate', sid: 's1', seq: 1, modelId: 'demo', requestId: expect.any(String) },
    { type: 'answer.regenerate', sid: 's1', seq: 3 },
    { type: 'session.model', sid: 's1', modelId: 'demo' },
    { type: 'session.read', sid: 's1', seq: 4 },
    { type: 'session.end', sid: 's1' },
    { type: 'typing' },
  ])
})

test('a press on stop survives a lost connection, until the answer has ended', async () => {
  const { chat, server, peer, until } = await connected()
  peer.terminate()
  await until('state', (state) => state.kind === 'waiting')
  chat.cancel('s1', 'a1')
  const second = await server.peer()
  await second.welcome()
  const asked = await second.next('answer.cancel')
  second.terminate()
  const third = await server.peer()
  await third.welcome({ connectionId: 'c3' })
  expect(await third.next('answer.cancel')).toEqual(asked)
  third.send(done('', { status: 'cancelled' }))
  await until('answer', (state) => state.status === 'cancelled')
  third.terminate()
  const fourth = await server.peer()
  await fourth.welcome({ connectionId: 'c4' })
  await until('ready', (ready) => ready.connectionId === 'c4')
  await barrier(chat, fourth)
  expect(wishes(fourth)).toEqual([])
})

test('each is forgotten once the server has shown that it is so', async () => {
  const { chat, server, peer, until } = await connected()
  chat.setModel('s1', 'big')
  chat.markRead('s1', 4)
  chat.endSession('s1')
  chat.regenerate('s1', 1)
  const shown = async (rev: number, fields: object) => {
    peer.send(updated({ rev, ...fields }))
    await until('session', (view) => view.rev === rev)
  }
  await shown(1, { modelId: 'small', readSeq: 3 })
  await shown(2, { modelId: 'big', readSeq: 5 })
  peer.send({ type: 'message', ...spoken({ answer: { answerId: 'a2', seq: 2, status: 'pending', modelId: 'big' } }) })
  await until('message')
  peer.terminate()
  const again = await server.peer()
  await again.welcome({ connectionId: 'c2' })
  await until('ready', (ready) => ready.connectionId === 'c2')
  await barrier(chat, again)
  expect(wishes(again)).toEqual(['session.end'])
})

test('only the latest of a kind is kept', async () => {
  const started = await server()
  const { chat } = observed(started)
  chat.markRead('s1', 1)
  chat.markRead('s1', 2)
  chat.markRead('s2', 1)
  chat.connect()
  const peer = await started.peer()
  await peer.welcome()
  expect(await peer.next('session.read')).toMatchObject({ sid: 's1', seq: 2 })
  expect(await peer.next('session.read')).toMatchObject({ sid: 's2', seq: 1 })
})

test('a retryable error is tried again, a final one is an error event', async () => {
  const { chat, peer, until, heard } = await connected()
  chat.setModel('s1', 'big')
  const { requestId = '' } = await peer.next('session.model')
  peer.send({ type: 'error', code: 'unavailable', message: 'x', retryable: true, requestId, retryAfterMs: 5 })
  expect(await peer.next('session.model')).toMatchObject({ requestId })
  expect(heard.error).toEqual([])
  peer.send({ type: 'error', code: 'not_found', message: 'x', retryable: false, requestId })
  expect(await until('error')).toMatchObject({ code: 'not_found', requestId })
})

test('what was asked for long ago is not forced on a world that has moved on', async () => {
  const { chat, server, peer, until } = await connected()
  chat.setModel('s1', 'big')
  await peer.next('session.model')
  peer.terminate()
  const { now } = Date
  vi.spyOn(Date, 'now').mockImplementation(() => now() + 121_000)
  const again = await server.peer()
  await again.welcome({ connectionId: 'c2', expiresAt: Date.now() + 3_600_000 })
  await until('ready', (ready) => ready.connectionId === 'c2')
  await barrier(chat, again)
  expect(wishes(again)).toEqual([])
})

test('typing is forgotten while there is no connection', async () => {
  const started = await server()
  const { chat, until } = observed(started)
  chat.typing('s1', true)
  chat.connect()
  const peer = await started.peer()
  await peer.welcome()
  await until('ready')
  await barrier(chat, peer)
  expect(peer.frames.map((frame) => frame.type)).toEqual(['hello', 'typing'])
})
