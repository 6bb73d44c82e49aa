import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ChatError } from '../src/index.ts'
import { createOutbox } from '../src/outbox.ts'
import { defaultTuning } from '../src/tuning.ts'
import { barrier, connected, observed, server } from './helpers/client.ts'
import { accepted, refusal } from './helpers/frames.ts'
import { readyFrame } from './helpers/server.ts'

const sends = (peer: { frames: readonly { type: string }[] }) =>
  peer.frames.filter((frame) => frame.type === 'message.send')

describe('a message is sent until it is accepted', () => {
  test('the same frame is sent again when no answer comes', async () => {
    const { chat, peer } = await connected({ resendAfterMs: 20 })
    const sending = chat.send({ sid: 's1', text: 'hello', metadata: { k: 'v' } })
    const first = await peer.next('message.send')
    const second = await peer.next('message.send')
    const third = await peer.next('message.send')
    expect(first).toMatchObject({
      sid: 's1',
      text: 'hello',
      metadata: { k: 'v' },
      clientMessageId: sending.clientMessageId,
    })
    expect([second, third]).toEqual([first, first])

    peer.send(accepted(third, { seq: 7 }))
    await expect(sending.accepted).resolves.toMatchObject({ seq: 7, clientMessageId: sending.clientMessageId })
    // By the time another one was sent three times, this one would have been sent again.
    const copies = sends(peer).length
    chat.send({ sid: 's2', text: 'other' })
    for (let copy = 0; copy < 4; copy++) expect(await peer.next('message.send')).toMatchObject({ sid: 's2' })
    expect(sends(peer)).toHaveLength(copies + 4)
  })

  test('what was written before there was a connection is sent when there is one', async () => {
    const started = await server()
    const { chat } = observed(started)
    const sending = chat.send({ text: 'early' })
    chat.connect()
    const peer = await started.peer()
    await peer.welcome()
    peer.send(accepted(await peer.next('message.send')))
    await expect(sending.accepted).resolves.toMatchObject({ text: 'early' })
  })

  test('after a reconnect it goes with the same id and the same body', async () => {
    const { chat, server, peer } = await connected()
    const sending = chat.send({ sid: 's1', text: 'hello' })
    const first = await peer.next('message.send')
    peer.terminate()
    const again = await server.peer()
    await again.welcome({ recovered: true })
    expect(await again.next('message.send')).toEqual(first)
    again.send(accepted(first))
    await sending.accepted
  })

  test('a missed event that is made up for counts as the acceptance', async () => {
    const { chat, server, peer, until } = await connected()
    const sending = chat.send({ sid: 's1', text: 'hello' })
    const first = await peer.next('message.send')
    peer.terminate()
    const again = await server.peer()
    await again.next('hello')
    again.send(accepted(first))
    await sending.accepted
    again.send(readyFrame({ recovered: true }))
    await until('ready', (ready) => ready.recovered)
    await barrier(chat, again)
    expect(sends(again)).toEqual([])
  })

  test('a retryable error is obeyed: not before retryAfterMs, not even over a new connection', async () => {
    const { chat, server, peer, until } = await connected()
    const sending = chat.send({ sid: 's1', text: 'hello' })
    const { clientMessageId } = await peer.next('message.send')
    const from = Date.now()
    peer.send(refusal('rate_limited', true, { clientMessageId, retryAfterMs: 200 }))
    peer.send({ type: 'notice', code: 'shutdown', message: 'soon' })
    await until('notice')
    peer.terminate()
    const again = await server.peer()
    await again.welcome()
    const second = await again.next('message.send')
    expect(Date.now() - from).toBeGreaterThanOrEqual(198)
    again.send(accepted(second))
    await sending.accepted
  })

  test('a retryable error without a time is tried again after a jittered delay', async () => {
    const { chat, peer } = await connected()
    const sending = chat.send({ sid: 's1', text: 'hello' })
    for (const code of ['busy', 'overloaded', 'expired', 'unavailable', 'internal'] as const) {
      const { clientMessageId } = await peer.next('message.send')
      peer.send(refusal(code, true, { clientMessageId }))
    }
    peer.send(accepted(await peer.next('message.send')))
    await sending.accepted
  })

  test('an expired token is no fault of the message: the token is renewed and the message sent again', async () => {
    const { chat, peer } = await connected()
    const sending = chat.send({ sid: 's1', text: 'hello' })
    const { clientMessageId } = await peer.next('message.send')
    peer.send(refusal('token_expired', false, { clientMessageId }))
    await peer.next('auth.refresh')
    peer.send(accepted(await peer.next('message.send')))
    await sending.accepted
  })

  test('a final refusal is a ChatError with what the server said', async () => {
    const { chat, peer } = await connected()
    const sending = chat.send({ sid: 's1', text: 'hello' })
    const { clientMessageId } = await peer.next('message.send')
    peer.send(refusal('conflict', false, { clientMessageId, requestId: 'r9', sid: 's1', field: 'text' }))
    const error = await sending.accepted.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(ChatError)
    expect(error).toMatchObject({ code: 'conflict', retryable: false, requestId: 'r9', sid: 's1', field: 'text' })
  })
})

describe('order', () => {
  test('the next message of a session waits for the one before it, another session does not', async () => {
    const { chat, peer } = await connected()
    chat.send({ sid: 's1', text: 'one' })
    chat.send({ sid: 's1', text: 'two' })
    chat.send({ sid: 's2', text: 'other' })
    await barrier(chat, peer)
    expect(sends(peer)).toMatchObject([{ text: 'one' }, { sid: 's2', text: 'other' }])

    peer.send(accepted(await peer.next('message.send')))
    await peer.next('message.send')
    expect(await peer.next('message.send')).toMatchObject({ sid: 's1', text: 'two' })
  })

  test('a message that was put off holds those behind it, a refused one lets them go', async () => {
    const { chat, peer } = await connected()
    const first = chat.send({ sid: 's1', text: 'one' })
    chat.send({ sid: 's1', text: 'two' })
    const { clientMessageId } = await peer.next('message.send')
    peer.send(refusal('busy', true, { clientMessageId, retryAfterMs: 30 }))
    expect(await peer.next('message.send')).toMatchObject({ text: 'one' })
    peer.send(refusal('session_ended', false, { clientMessageId }))
    await expect(first.accepted).rejects.toMatchObject({ code: 'session_ended' })
    expect(await peer.next('message.send')).toMatchObject({ text: 'two' })
  })

  test('messages of one new chat wait for its id, and later ones with its key find it', async () => {
    const { chat, peer } = await connected()
    chat.send({ newChat: 'k', text: 'one' })
    chat.send({ newChat: 'k', text: 'two' })
    await barrier(chat, peer)
    const first = await peer.next('message.send')
    expect(first).not.toHaveProperty('sid')
    expect(sends(peer)).toHaveLength(1)

    peer.send(accepted(first, { sid: 's9' }))
    const second = await peer.next('message.send')
    expect(second).toMatchObject({ sid: 's9', text: 'two' })
    chat.send({ sid: 's9', text: 'three' })
    chat.send({ newChat: 'k', text: 'four' })
    await barrier(chat, peer)
    expect(sends(peer)).toHaveLength(2)
    peer.send(accepted(second, { sid: 's9', seq: 3 }))
    const third = await peer.next('message.send')
    expect(third).toMatchObject({ sid: 's9', text: 'three' })
    peer.send(accepted(third, { sid: 's9', seq: 5 }))
    expect(await peer.next('message.send')).toMatchObject({ sid: 's9', text: 'four' })
  })

  test('those who waited for a new chat go behind what is on its way to that session already', async () => {
    const { chat, peer, until } = await connected()
    chat.send({ newChat: 'k', text: 'one' })
    chat.send({ newChat: 'k', text: 'two' })
    chat.send({ sid: 's9', text: 'known from elsewhere' })
    const first = await peer.next('message.send')
    const elsewhere = await peer.next('message.send')
    peer.send(accepted(first, { sid: 's9' }))
    await until('message')
    await barrier(chat, peer)
    expect(sends(peer)).toHaveLength(2)
    peer.send(accepted(elsewhere, { sid: 's9', seq: 3 }))
    expect(await peer.next('message.send')).toMatchObject({ sid: 's9', text: 'two' })
  })

  test('if the first message of a new chat is refused, the second one begins it', async () => {
    const { chat, peer } = await connected()
    chat.send({ newChat: 'k', text: 'one' })
    chat.send({ newChat: 'k', text: 'two' })
    const { clientMessageId } = await peer.next('message.send')
    peer.send(refusal('invalid_frame', false, { clientMessageId }))
    const second = await peer.next('message.send')
    expect(second).toMatchObject({ text: 'two' })
    expect(second).not.toHaveProperty('sid')
  })

  test('without a key each message makes a chat of its own', async () => {
    const { chat, peer } = await connected()
    chat.send({ text: 'one' })
    chat.send({ text: 'two' })
    await barrier(chat, peer)
    expect(sends(peer)).toHaveLength(2)
  })
})

describe('what is refused here', () => {
  test('one message too many', async () => {
    const { chat } = observed(await server(), { tuning: { maxPending: 2 } })
    const first = chat.send({ sid: 's1', text: 'one' })
    chat.send({ sid: 's1', text: 'two' })
    await expect(chat.send({ sid: 's1', text: 'three' }).accepted).rejects.toMatchObject({
      code: 'overloaded',
      retryable: true,
    })
    first.abandon()
    const fourth = chat.send({ sid: 's1', text: 'four' })
    fourth.abandon()
    await expect(fourth.accepted).rejects.toMatchObject({ code: 'abandoned' })
  })

  test('a frame that is too large for the server, which could not tell whose it was', async () => {
    const { chat, peer } = await connected()
    const large = chat.send({ sid: 's1', text: 'é'.repeat(33_000) })
    chat.send({ sid: 's1', text: 'next' })
    await expect(large.accepted).rejects.toMatchObject({ code: 'too_large' })
    expect(await peer.next('message.send')).toMatchObject({ text: 'next' })
  })

  test('an id that is not allowed, and an id that another message has', async () => {
    const { chat } = observed(await server())
    await expect(chat.send({ text: 'x', clientMessageId: 'no way' }).accepted).rejects.toMatchObject({
      code: 'invalid_frame',
    })
    const first = chat.send({ text: 'x', clientMessageId: 'm1' })
    expect(chat.send({ text: 'x', clientMessageId: 'm1' })).toBe(first)
    await expect(chat.send({ text: 'y', clientMessageId: 'm1' }).accepted).rejects.toMatchObject({ code: 'conflict' })
  })
})

test('an abandoned message is not sent again and lets the next one go', async () => {
  const { chat, peer } = await connected({ resendAfterMs: 20 })
  const first = chat.send({ sid: 's1', text: 'one' })
  const second = chat.send({ sid: 's1', text: 'two' })
  await peer.next('message.send')
  first.abandon()
  first.abandon()
  await expect(first.accepted).rejects.toMatchObject({ code: 'abandoned', retryable: false })
  const sent = await peer.next('message.send')
  expect(sent).toMatchObject({ text: 'two' })
  peer.send(accepted(sent))
  await second.accepted
  second.abandon()
})

test('what one user wrote is not sent in the name of another', async () => {
  const { chat, server, peer, until } = await connected()
  const sending = chat.send({ sid: 's1', text: "ann's secret" })
  await peer.next('message.send')
  peer.terminate()
  const again = await server.peer()
  await again.welcome({ userId: 'bob' })
  await expect(sending.accepted).rejects.toMatchObject({ code: 'stopped' })
  await until('ready', (ready) => ready.userId === 'bob')
  await barrier(chat, again)
  expect(sends(again)).toEqual([])
  expect(chat.userId).toBe('bob')
})

test('messages that wait are kept over close and connect', async () => {
  const { chat, server, peer, until } = await connected()
  const sending = chat.send({ sid: 's1', text: 'hello' })
  await peer.next('message.send')
  chat.close()
  expect(chat.state).toEqual({ kind: 'stopped', reason: 'closed' })
  expect(await peer.closed).toBe(1000)
  chat.connect()
  const again = await server.peer()
  await again.welcome()
  await until('state', (state) => state.kind === 'open')
  again.send(accepted(await again.next('message.send')))
  await sending.accepted
})

test('the patience with a silent server grows, and starts anew with a new connection', async () => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
  })
  let sent = 0
  const outbox = createOutbox({
    resendAfterMs: 6_000,
    tuning: defaultTuning,
    random: () => 0.5,
    frameLimit: () => 65_536,
    transmit: () => sent++ >= 0,
  })
  outbox.add({ sid: 's1', text: 'hello' })
  const copiesIn = async (ms: number) => {
    const before = sent
    await vi.advanceTimersByTimeAsync(ms)
    return sent - before
  }
  expect([await copiesIn(6_000), await copiesIn(6_000), await copiesIn(6_000)]).toEqual([1, 0, 1])
  expect(await copiesIn(300_000)).toBe(10)
  outbox.closed()
  expect(await copiesIn(300_000)).toBe(0)
  outbox.opened()
  expect(await copiesIn(6_000)).toBe(1)
})
