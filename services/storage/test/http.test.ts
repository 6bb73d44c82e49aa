import { type SessionId, sessionId, Unavailable } from '@chatbox/core'
import { errorBody, messagePage, sessionBody, sessionPage } from '@chatbox/protocol'
import { signToken } from '@chatbox/runtime'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Bench, bench, secret, user } from './fixture.ts'

const alice = user('alice')
const sid = sessionId('a-session')

describe('history over REST', () => {
  let b: Bench
  let token: string
  const tokenFor = (userId: string, ttlMs = 60_000) => signToken({ secret, userId, ttlMs })
  const get = (url: string, bearer: string | undefined = token) =>
    b.storage.http.inject({ method: 'GET', url, headers: bearer ? { authorization: `Bearer ${bearer}` } : {} })

  beforeAll(async () => {
    b = await bench({ times: { sweepMs: 3_600_000 } })
    token = await tokenFor('alice')
    for (let i = 0; i < 5; i++) {
      await b.say(alice, sid, `question ${i}`)
      const turn = await b.conversations.turn(sid, 2 * i + 1)
      const answerId = turn?.answer?.answerId
      if (!answerId) throw new Error('a question without an answer')
      const end = { status: 'done' as const, text: `answer ${i}`, endedAt: Date.now() }
      await b.ask({ kind: 'answer.end', uid: alice, sid, requestId: answerId as never, answerId, attempt: 0, end })
    }
    for (let i = 0; i < 4; i++) await b.say(alice, sessionId(`other-${i}`), `chat ${i}`)
    await b.say(user('bob'), sessionId('bobs'), 'mine alone')
  })
  afterAll(() => b.close())

  it('shows a session, and its messages by rising seq', async () => {
    expect(sessionBody.parse((await get(`/chat/sessions/${sid}`)).json()).session).toMatchObject({
      id: sid,
      name: 'question 0',
      messageCount: 10,
    })
    const page = messagePage.parse((await get(`/chat/sessions/${sid}/messages`)).json())
    expect(page.messages.map(({ seq, text }) => [seq, text])).toEqual(
      Array.from({ length: 10 }, (_, i) => [i + 1, `${i % 2 ? 'answer' : 'question'} ${Math.floor(i / 2)}`]),
    )
    expect(page.more).toBe(false)
  })

  it.each([1, 2, 3, 4, 7])(
    'pages by %i both ways without a gap or a repetition, also in the middle of a turn',
    async (limit) => {
      const read = async (query: string) =>
        messagePage.parse((await get(`/chat/sessions/${sid}/messages?limit=${limit}${query}`)).json())
      const down: number[] = []
      for (let query = ''; ; query = `&before=${down[0]}`) {
        const { messages, more } = await read(query)
        down.unshift(...messages.map(({ seq }) => seq))
        if (!more) break
      }
      const up: number[] = []
      for (let query = '&after=0'; ; query = `&after=${up.at(-1)}`) {
        const { messages, more } = await read(query)
        up.push(...messages.map(({ seq }) => seq))
        if (!more) break
      }
      const all = Array.from({ length: 10 }, (_, i) => i + 1)
      expect({ down, up }).toEqual({ down: all, up: all })
    },
  )

  it('lists sessions by their latest activity, page by page', async () => {
    const ids: string[] = []
    for (let cursor = ''; ; ) {
      const page = sessionPage.parse((await get(`/chat/sessions?limit=2${cursor}`)).json())
      ids.push(...page.sessions.map(({ id }) => id))
      if (page.cursor === undefined) break
      cursor = `&cursor=${page.cursor}`
    }
    expect([...ids].sort()).toEqual(['a-session', 'other-0', 'other-1', 'other-2', 'other-3'])
    const times = await Promise.all(
      ids.map(async (id) => (await b.conversations.session(id as SessionId))?.lastActivity ?? 0),
    )
    expect(times).toEqual([...times].sort((x, y) => y - x))
  })

  it("answers 404 for what is somebody else's, unknown, or no id at all", async () => {
    for (const id of [
      'bobs',
      'nowhere',
      '%7B%22%24gt%22%3A%22%22%7D',
      '..%2f..',
      'a'.repeat(200),
      'a'.repeat(3_000),
      '%zz',
    ]) {
      for (const path of [`/chat/sessions/${id}`, `/chat/sessions/${id}/messages`]) {
        const response = await get(path)
        expect([path, response.statusCode]).toEqual([path, 404])
        expect(errorBody.parse(response.json()).error.code).toBe('not_found')
      }
    }
  })

  const refusalOf = async (url: string) => {
    const response = await get(url)
    const { code, field } = errorBody.parse(response.json()).error
    return [url, response.statusCode, code, field]
  }

  it.each(['0', '101', 'x', '0x10', '1e1', '1.0', '010', '+1', '%201', '', '-1', '1&limit=2', '99999999999999999999'])(
    'takes digits for a number, and not this: limit=%s',
    async (limit) => {
      for (const path of ['/chat/sessions', `/chat/sessions/${sid}/messages`]) {
        const url = `${path}?limit=${limit}`
        expect(await refusalOf(url)).toEqual([url, 400, 'invalid_frame', 'limit'])
      }
      expect((await get(`/chat/sessions/${sid}/messages/${limit || '0x2'}/feedback`)).statusCode).toBe(404)
    },
  )

  it('refuses queries that make no sense, and says which parameter does not', async () => {
    for (const [query, field] of [
      ['before=', 'before'],
      ['after=', 'after'],
      ['before=-1', 'before'],
      ['before=9007199254740992', 'before'],
      ['after=0b1', 'after'],
      ['before=1&after=1', 'after'],
      // The names of these are the sender's own.
      ['unknown=1', undefined],
      ['before[$gt]=1', undefined],
    ]) {
      const url = `/chat/sessions/${sid}/messages?${query}`
      expect(await refusalOf(url)).toEqual([url, 400, 'invalid_frame', field])
    }
  })

  it('takes a cursor as it was given out, letter by letter', async () => {
    const { cursor = '' } = sessionPage.parse((await get('/chat/sessions?limit=2')).json())
    const encoded = (text: string) => Buffer.from(text).toString('base64url')
    const [activity = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split('.')
    for (const odd of [
      '',
      'x',
      'e30',
      encoded('{"$gt":""}'),
      `${cursor}=`,
      `${cursor}!`,
      `!${cursor}`,
      encoded(`0${activity}.${id}`),
      encoded(`${activity}.${id}.more`),
      encoded(`9999999999999999.${id}`),
    ]) {
      const url = `/chat/sessions?cursor=${encodeURIComponent(odd)}`
      expect(await refusalOf(url)).toEqual([url, 400, 'invalid_frame', 'cursor'])
    }
    expect((await get(`/chat/sessions?cursor=${cursor}`)).statusCode).toBe(200)
  })

  it('is told to the log, when a store is away, in a line and without where it was noticed', async () => {
    const away = await bench({
      wrap: (deps) => ({
        ...deps,
        conversations: { ...deps.conversations, listSessions: () => Promise.reject(new Unavailable('it is away')) },
      }),
    })
    const headers = { authorization: `Bearer ${token}` }
    const { error } = (await away.storage.http.inject({ url: '/chat/sessions', headers })).json()
    expect(error.code).toBe('unavailable')
    const lines = away.log.filter((line) => line.includes(error.requestId))
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'warn', reason: 'it is away', route: '/chat/sessions' },
    ])
    expect(lines.join()).not.toContain('    at ')
    await away.close()
  })

  it('needs a good token on every route, the unknown ones too', async () => {
    const expired = await signToken({ secret, userId: 'alice', ttlMs: 1_000, now: () => Date.now() - 60_000 })
    for (const url of ['/chat/sessions', `/chat/sessions/${sid}`, `/chat/sessions/${sid}/messages`]) {
      expect((await get(url, '')).statusCode).toBe(401)
      expect((await get(url, `${token}x`)).statusCode).toBe(401)
      expect((await get(url, expired)).json().error.code).toBe('token_expired')
    }
    expect((await get('/chat/nothing')).statusCode).toBe(404)
  })

  it('tells a code and a request id of a fault of ours, and the rest to the log only (X4)', async () => {
    const broken = await bench({
      wrap: (deps) => ({
        ...deps,
        conversations: { ...deps.conversations, listSessions: () => Promise.reject(new Error('canary-detail')) },
      }),
    })
    const response = await broken.storage.http.inject({
      url: '/chat/sessions',
      headers: { authorization: `Bearer ${token}` },
    })
    expect(response.statusCode).toBe(500)
    const { error } = errorBody.parse(response.json())
    expect(error).toMatchObject({ code: 'internal', retryable: true })
    expect(response.body).not.toContain('canary')
    expect(broken.log.join('\n')).toContain(error.requestId)
    await broken.close()
  })
})
