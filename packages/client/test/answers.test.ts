import { afterEach, describe, expect, test, vi } from 'vitest'
import { createGate } from '../src/gate.ts'
import { barrier, connected } from './helpers/client.ts'
import { delta, done, reset, snapshot, spoken, started, storedAnswer } from './helpers/frames.ts'
import type { RestReply } from './helpers/server.ts'

afterEach(() => {
  vi.unstubAllGlobals()
})

const ended = (state: { status: string }) => state.status !== 'pending'
const page = (...messages: unknown[]): RestReply => ({ status: 200, body: { messages, more: false } })

async function streaming() {
  const client = await connected()
  client.server.rest(() => page(storedAnswer('the stored text')))
  const texts = () => client.heard.answer.map((state) => state.text)
  return { ...client, texts }
}

describe('an answer grows', () => {
  test('from the question to its end, each step an event', async () => {
    const { chat, peer, until, heard, server } = await streaming()
    peer.send({
      type: 'message',
      ...spoken({ answer: { answerId: 'a1', seq: 2, status: 'pending', modelId: 'demo' } }),
    })
    peer.send(started())
    peer.send(delta(0, 'Hel'))
    peer.send(delta(1, 'lo'))
    const usage = { inputTokens: 1, outputTokens: 2, estimated: false, cost: 3 }
    peer.send(done('Hello', { usage, notices: ['context_trimmed'] }))
    await until('answer', ended)
    const ids = { sid: 's1', seq: 2, answerId: 'a1', modelId: 'demo' }
    expect(heard.answer).toEqual([
      { ...ids, attempt: 0, status: 'pending', text: '' },
      { ...ids, attempt: 1, status: 'pending', text: '' },
      { ...ids, attempt: 1, status: 'pending', text: 'Hel' },
      { ...ids, attempt: 1, status: 'pending', text: 'Hello' },
      { ...ids, attempt: 1, status: 'done', text: 'Hello', usage, notices: ['context_trimmed'] },
    ])
    expect(chat.answer('a1')).toBe(heard.answer.at(-1))
    expect(chat.answer('a2')).toBeUndefined()
    expect(server.requests).toEqual([])
  })

  test('a failed one keeps its text and says why', async () => {
    const { peer, until } = await streaming()
    peer.send(delta(0, 'Hel'))
    const error = { code: 'provider_error', message: 'the model failed', retryable: true } as const
    peer.send(done('Hel', { status: 'failed', error }))
    expect(await until('answer', ended)).toMatchObject({ status: 'failed', text: 'Hel', error })
  })

  test('one that ended before it was heard of is for the history to tell', async () => {
    const { chat, peer, until, heard } = await streaming()
    peer.send({ type: 'message', ...spoken({ answer: { answerId: 'a1', seq: 2, status: 'done', modelId: 'demo' } }) })
    await until('message')
    expect(heard.answer).toEqual([])
    expect(chat.answer('a1')).toBeUndefined()
  })

  test('one that nobody began ends without a text', async () => {
    const { peer, until, server } = await streaming()
    peer.send(done('', { status: 'cancelled', attempt: 0 }))
    expect(await until('answer', ended)).toMatchObject({ status: 'cancelled', text: '', attempt: 0 })
    expect(server.requests).toEqual([])
  })
})

describe('frames that are late, early or twice', () => {
  test('a jump waits for the snapshot, and what came after the jump is not lost', async () => {
    const { peer, until, texts, server } = await streaming()
    peer.send(delta(0, 'a'))
    peer.send(delta(3, 'd'))
    peer.send(delta(4, 'e'))
    peer.send(snapshot(3, 'abc'))
    peer.send(delta(5, 'f'))
    peer.send(done('abcdef'))
    await until('answer', ended)
    expect(texts()).toEqual(['a', 'abcde', 'abcdef', 'abcdef'])
    expect(server.requests).toEqual([])
  })

  test('a snapshot that is behind changes nothing', async () => {
    const { chat, peer, until, texts } = await streaming()
    peer.send(delta(0, 'a'))
    peer.send(delta(1, 'b'))
    peer.send(snapshot(1, 'a'))
    peer.send(delta(1, 'b'))
    peer.send(delta(0, 'a'))
    peer.send(delta(2, 'c'))
    await until('answer', (state) => state.text === 'abc')
    expect(texts()).toEqual(['a', 'ab', 'abc'])
    await barrier(chat, peer)
  })

  test('a stale attempt is ignored, a new one begins again', async () => {
    const { peer, until, texts } = await streaming()
    peer.send(delta(0, 'old'))
    peer.send(reset(2))
    peer.send(delta(1, ' attempt'))
    peer.send(snapshot(9, 'old attempt', 1))
    peer.send(delta(0, 'new', 2))
    peer.send(reset(2))
    peer.send(started(1))
    peer.send(delta(1, '!', 2))
    peer.send(delta(0, 'third', 3))
    peer.send(done('third', { attempt: 3 }))
    expect(await until('answer', ended)).toMatchObject({ attempt: 3 })
    expect(texts()).toEqual(['old', '', 'new', 'new!', 'third', 'third'])
  })

  test('after the end nothing changes it', async () => {
    const { peer, until, heard } = await streaming()
    peer.send(delta(0, 'x'))
    peer.send(done('x'))
    peer.send(delta(1, 'y'))
    await until('answer', ended)
    peer.send(delta(0, 'zombie', 2))
    peer.send(reset(3))
    peer.send(done('zombie', { attempt: 2 }))
    peer.send({ type: 'message', ...spoken({ answer: { answerId: 'a1', seq: 2, status: 'pending', modelId: 'm' } }) })
    await until('message')
    expect(heard.answer).toHaveLength(2)
  })
})

describe('a text that is not the stored one is fetched', () => {
  test('when it has another length: the end is shown with the stored text, never with the wrong one', async () => {
    const { peer, until, heard, server } = await streaming()
    peer.send(delta(0, 'half a te'))
    peer.send(done('the stored text'))
    expect(await until('answer', ended)).toMatchObject({ status: 'done', text: 'the stored text' })
    expect(heard.answer.filter(ended)).toHaveLength(1)
    expect(server.requests).toMatchObject([
      { path: '/chat/sessions/s1/messages', query: { after: '1' }, token: 'token' },
    ])
  })

  test('when only the hash tells', async () => {
    const { peer, until } = await streaming()
    peer.send(delta(0, 'THE STORED TEXT'))
    peer.send(done('the stored text'))
    expect(await until('answer', ended)).toMatchObject({ text: 'the stored text' })
  })

  test('when its end came while the client was away', async () => {
    const { peer, until } = await streaming()
    peer.send(started())
    peer.send(done('the stored text'))
    expect(await until('answer', ended)).toMatchObject({ text: 'the stored text', attempt: 1 })
  })

  test('without SHA-256 by its attempt, where the length says nothing', async () => {
    const { peer, until, server } = await streaming()
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) })
    peer.send(delta(0, 'an old attempt!'))
    peer.send(done('the stored text', { attempt: 2 }))
    expect(await until('answer', ended)).toMatchObject({ text: 'the stored text' })
    expect(server.requests).toHaveLength(1)
  })

  test('without SHA-256 the text of the attempt that ended is believed by its length', async () => {
    const { peer, until, server } = await streaming()
    vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) })
    peer.send(delta(0, 'the stored text'))
    peer.send(done('the stored text'))
    await until('answer', ended)
    expect(server.requests).toEqual([])
  })

  test('lengths are counted in bytes', async () => {
    const { peer, until, server } = await streaming()
    peer.send(delta(0, 'Grüße 👋'))
    peer.send(done('Grüße 👋'))
    await until('answer', ended)
    expect(server.requests).toEqual([])
  })

  test('again, when the server fails at first or has not stored it yet', async () => {
    const { peer, until, server } = await streaming()
    const replies: RestReply[] = [
      { status: 503 },
      page(storedAnswer('', { status: 'pending' })),
      page(storedAnswer('the stored text')),
    ]
    server.rest(() => replies.shift() ?? { status: 500 })
    peer.send(done('the stored text'))
    expect(await until('answer', ended)).toMatchObject({ text: 'the stored text' })
  })

  test('if it can not be had the answer ends all the same, and everything is to be read again', async () => {
    const { peer, until, server, heard } = await streaming()
    await until('reload')
    server.rest(() => ({ status: 500 }))
    peer.send(delta(0, 'half'))
    peer.send(done('the stored text'))
    expect(await until('answer', ended)).toMatchObject({ status: 'done', text: 'half' })
    expect(server.requests).toHaveLength(3)
    expect(heard.reload).toHaveLength(2)
  })

  test('each, when many ended meanwhile', async () => {
    const { peer, until, server, heard } = await streaming()
    server.rest(({ path }) => {
      const sid = path.split('/')[3] ?? ''
      return page(storedAnswer('the stored text', { sid, answerId: `a-${sid}` }))
    })
    for (let n = 0; n < 12; n++) peer.send(done('the stored text', { sid: `s${n}`, answerId: `a-s${n}` }))
    await until('answer', () => heard.answer.filter(ended).length === 12)
    expect(new Set(heard.answer.map((state) => state.text))).toEqual(new Set(['the stored text']))
  })
})

test('a gate lets so many run at once, and goes on after a failure', async () => {
  const gate = createGate(3)
  const ends: (() => void)[] = []
  let begun = 0
  const run = () =>
    gate(() => {
      begun++
      return new Promise<void>((_, fail) => ends.push(() => fail(new Error('failed'))))
    }).catch(() => undefined)
  const all = Promise.all(Array.from({ length: 5 }, run))
  await vi.waitFor(() => expect(begun).toBe(3))
  for (let turn = 0; turn < 5; turn++) {
    ends[turn]?.()
    await vi.waitFor(() => expect(begun).toBe(Math.min(5, 4 + turn)))
  }
  await all
  await gate(async () => undefined)
})

describe('history', () => {
  test('an end that was missed is taken from what the app reads', async () => {
    const { chat, peer, until, server, heard } = await streaming()
    peer.send(delta(0, 'half'))
    await until('answer')
    server.rest(() => page(spoken(), storedAnswer('the whole', { status: 'failed' })))
    await chat.messages('s1', { after: 0, limit: 10 })
    expect(chat.answer('a1')).toMatchObject({ status: 'failed', text: 'the whole' })
    expect(heard.answer).toHaveLength(2)
    await chat.messages('s1')
    expect(heard.answer).toHaveLength(2)
  })
})

test('memory is bounded: the first that ended go first', async () => {
  const { chat, peer, until, heard } = await connected({ tuning: { maxAnswers: 3 } })
  const say = (id: string) => ({ ...delta(0, 'x'), answerId: id })
  peer.send(say('open'))
  for (const id of ['e1', 'e2']) {
    peer.send(say(id))
    peer.send(done('x', { answerId: id }))
  }
  await until('answer', () => heard.answer.filter(ended).length === 2)
  peer.send(say('n1'))
  peer.send(say('n2'))
  await until('answer', (state) => state.answerId === 'n2')
  expect(['open', 'e1', 'e2', 'n1', 'n2'].filter((id) => chat.answer(id))).toEqual(['open', 'n1', 'n2'])
  peer.send(say('n3'))
  await until('answer', (state) => state.answerId === 'n3')
  expect(chat.answer('open')).toBeUndefined()
})
