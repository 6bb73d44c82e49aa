import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { clientMessageId, decodeEntry, type EntryBody, sessionId } from '@chatbox/core'
import { sharedMessagePage, sharedSessionBody } from '@chatbox/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { linkTokens } from '../src/http/asker.ts'
import { type Bench, bench, user } from './fixture.ts'
import { type Ask, as, conversation, refusedWith } from './support/rest.ts'
import { until } from './talk.ts'

describe('a link to a session', () => {
  let b: Bench
  let alice: Ask
  let anybody: Ask
  const appended: EntryBody[] = []

  beforeAll(async () => {
    b = await bench({
      times: { sweepMs: 3_600_000, mirrorLookMs: 20 },
      wrap: (deps) => ({
        ...deps,
        fabric: {
          ...deps.fabric,
          ingest: {
            ...deps.fabric.ingest,
            append: (entry) => {
              appended.push(decodeEntry(entry.packet))
              return deps.fabric.ingest.append(entry)
            },
          },
        },
      }),
    })
    alice = await as(b, 'alice')
    anybody = await as(b)
  })
  afterAll(() => b.close())

  const share = async (sid: string, body?: object) => {
    const response = await alice('POST', `/chat/sessions/${sid}/share`, body ? { body } : {})
    return response.json() as { token: string; path: string; until: number }
  }

  it('lets anybody read it, and tells nothing of whose it is, what it cost, or how it was rated', async () => {
    const sid = sessionId('shared')
    await b.say(user('alice'), sid, 'Look here', {
      said: {
        author: 'user',
        authorId: user('alice'),
        cmid: clientMessageId('canary-cmid'),
        kind: 'file',
        content: {
          text: 'Look here',
          files: [
            {
              fileId: 'canary-file',
              url: 'https://files.example/canary-url',
              name: 'plan.pdf',
              mimeType: 'application/pdf',
            },
          ],
          metadata: { page: 'canary-metadata' },
        },
      },
    })
    const turn = await b.conversations.turn(sid, 1)
    const answerId = turn?.answer?.answerId
    if (!answerId) throw new Error('no answer')
    const usage = { inputTokens: 987_654, outputTokens: 4, estimated: false }
    const end = { status: 'done' as const, text: 'I see', endedAt: Date.now(), usage }
    await b.ask({
      kind: 'answer.end',
      uid: user('alice'),
      sid,
      requestId: answerId as never,
      answerId,
      attempt: 0,
      end,
    })
    await alice('PUT', `/chat/sessions/${sid}/messages/2/feedback`, {
      body: { rating: 'down', comment: 'canary-comment' },
    })

    const { path, token, until: runsOut } = await share(sid)
    expect(path).toBe(`/chat/shared/${token}`)
    const session = await anybody('GET', path)
    expect(sharedSessionBody.parse(session.json()).session).toEqual({
      name: 'Look here',
      startedAt: expect.any(Number),
      messageCount: 2,
      until: runsOut,
    })
    const messages = await anybody('GET', `${path}/messages`)
    expect(sharedMessagePage.parse(messages.json())).toEqual({
      messages: [
        {
          ...{ seq: 1, ts: expect.any(Number), author: 'user', kind: 'file', text: 'Look here' },
          files: [{ name: 'plan.pdf', mimeType: 'application/pdf' }],
        },
        { seq: 2, ts: expect.any(Number), author: 'assistant', kind: 'text', text: 'I see', status: 'done' },
      ],
      more: false,
    })
    const said = session.body + messages.body
    for (const secret of ['alice', 'canary', '987654', sid, answerId, 'modelId']) expect(said).not.toContain(secret)
    for (const response of [session, messages]) {
      expect(response.headers).toMatchObject({ 'referrer-policy': 'no-referrer', 'x-robots-tag': 'noindex' })
    }
  })

  it('pages both ways, as its owner does', async () => {
    const sid = await conversation(b, 'alice', 'long', ['One', 'Two', 'Three'])
    const { path } = await share(sid)
    const seqs = async (query: string) =>
      (await anybody('GET', `${path}/messages?${query}`)).json().messages.map(({ seq }: { seq: number }) => seq)
    expect(await seqs('limit=3')).toEqual([4, 5, 6])
    expect(await seqs('limit=3&before=4')).toEqual([1, 2, 3])
    expect(await seqs('limit=3&after=2')).toEqual([3, 4, 5])
  })

  it('can change nothing, and opens nothing else', async () => {
    const sid = await conversation(b, 'alice', 'guarded')
    const { token, path } = await share(sid)
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      expect(refusedWith(await anybody(method, path, { body: {} }))[0]).toBe(401)
      expect(refusedWith(await alice(method, path, { body: {} }))).toEqual([404, 'not_found'])
    }
    const bearer = { headers: { authorization: `Bearer ${token}` } }
    expect(refusedWith(await anybody('GET', `/chat/sessions/${sid}`, bearer))).toEqual([401, 'unauthorized'])
    expect(refusedWith(await anybody('GET', `/chat/shared/${sid}`))).toEqual([404, 'not_found'])
  })

  it('is of 256 bits, is told once, and is kept as a hash only', async () => {
    const sid = await conversation(b, 'alice', 'hashed')
    const [first, { token }] = [await share(sid), await share(sid)]
    for (const link of [first.token, token]) expect(link).toMatch(/^[A-Za-z0-9_-]{43}$/)
    const hash = createHash('sha256').update(token).digest('base64url')
    const entries = appended.filter((entry) => entry.kind === 'session.share' && entry.sid === sid)
    expect(entries.map((entry) => entry.kind === 'session.share' && entry.share?.hash)).toContain(hash)
    const file = ['', '-wal'].map((suffix) => readFileSync(`${b.file}${suffix}`).toString('latin1')).join('')
    const elsewhere = [JSON.stringify(appended), b.log.join(''), file]
    for (const place of elsewhere) expect(place).not.toContain(token)
    for (const url of [`/chat/sessions/${sid}`, '/chat/sessions', `/chat/sessions/${sid}/export`]) {
      const { body } = await alice('GET', url)
      expect(body).not.toContain(token)
      expect(body).not.toContain(hash)
    }
  })

  it('runs out', async () => {
    const sid = await conversation(b, 'alice', 'brief')
    const before = Date.now()
    const { path, until: runsOut } = await share(sid, { expiresInSeconds: 60 })
    expect(runsOut).toBeGreaterThanOrEqual(before + 60_000)
    expect(runsOut).toBeLessThanOrEqual(Date.now() + 60_000)
    expect((await anybody('GET', path)).statusCode).toBe(200)
    const row = await b.conversations.session(sid)
    if (!row?.share) throw new Error('it is not shared')
    expect(await b.conversations.changeSession(sid, row.rev, { share: { ...row.share, until: Date.now() } })).toBe(true)
    for (const url of [path, `${path}/messages`]) {
      expect(refusedWith(await anybody('GET', url))).toEqual([404, 'not_found'])
    }
    for (const expiresInSeconds of [59, 31_536_001, 60.5, '60', null, -1]) {
      const response = await alice('POST', `/chat/sessions/${sid}/share`, { body: { expiresInSeconds } })
      expect([expiresInSeconds, ...refusedWith(response)]).toEqual([expiresInSeconds, 400, 'invalid_frame'])
    }
  })

  it('leads nowhere once it was taken back, replaced, or its session erased; like one that never was', async () => {
    const sid = await conversation(b, 'alice', 'taken-back')
    const first = await share(sid)
    const second = await share(sid)
    expect(refusedWith(await anybody('GET', first.path))).toEqual([404, 'not_found'])
    expect((await anybody('GET', second.path)).statusCode).toBe(200)
    expect((await alice('DELETE', `/chat/sessions/${sid}/share`)).json().session).not.toHaveProperty('sharedUntil')
    const gone = await anybody('GET', second.path)
    const never = await anybody('GET', `/chat/shared/${'A'.repeat(43)}`)
    expect({ ...gone.json().error, requestId: '' }).toEqual({ ...never.json().error, requestId: '' })
    const third = await share(sid)
    await alice('DELETE', `/chat/sessions/${sid}`)
    expect(refusedWith(await anybody('GET', third.path))).toEqual([404, 'not_found'])
    for (const token of ['', 'x', `${'A'.repeat(42)}=`, 'A'.repeat(44), '%00', '..%2f..']) {
      expect([token, (await anybody('GET', `/chat/shared/${token}`)).statusCode]).toEqual([token, 404])
    }
  })

  it('is dark while its user is disabled', async () => {
    await conversation(b, 'mallory', 'hers')
    const mallory = await as(b, 'mallory')
    const { path } = (await mallory('POST', '/chat/sessions/hers/share')).json()
    const status = async () => (await anybody('GET', path)).statusCode
    expect(await status()).toBe(200)
    await b.deps.disabledUsers.set(user('mallory'), true)
    await until(async () => (await status()) === 404, 'the link leads nowhere')
    await b.deps.disabledUsers.set(user('mallory'), false)
    await until(async () => (await status()) === 200, 'the link leads there again')
  })
})

describe('the links of requests that may be repeated', () => {
  const asker = { requestId: 'request' as never, again: true }
  const at = (minutes: number) => linkTokens('secret', asker, minutes * 60_000)

  it('stay the same as long as outcomes are kept, and then become others', () => {
    expect(at(9)[0]).toBe(at(1)[0])
    // Made at 9 minutes, asked for again at 18.
    expect(at(18)).toContain(at(9)[0])
    expect(at(30)).not.toContain(at(9)[0])
    expect(linkTokens('another secret', asker, 60_000)).not.toContain(at(1)[0])
    expect(linkTokens('secret', { ...asker, requestId: 'other' as never }, 60_000)).not.toContain(at(1)[0])
  })

  it('are random where a request is asked once', () => {
    const once = { ...asker, again: false }
    expect(linkTokens('secret', once, 0)).not.toEqual(linkTokens('secret', once, 0))
  })
})

describe('calls without a token', () => {
  it('have a budget for each address, as far as proxies are believed, and each network of IPv6 (security 21)', async () => {
    const b = await bench({
      times: { sweepMs: 3_600_000 },
      limits: { shared: { points: 2, perMs: 60_000 } },
      rest: { trustedHops: 1 },
    })
    const from = async (address: string, remoteAddress = '192.0.2.1') => {
      const url = `/chat/shared/${'A'.repeat(43)}`
      const headers = { 'x-forwarded-for': address }
      return (await b.storage.http.inject({ url, headers, remoteAddress })).statusCode
    }
    expect([await from('203.0.113.9'), await from('203.0.113.9'), await from('203.0.113.9')]).toEqual([404, 404, 429])
    // What the client itself wrote does not help it, nor does another proxy.
    expect(await from('10.0.0.7, 203.0.113.9', '192.0.2.2')).toBe(429)
    expect(await from('203.0.113.10')).toBe(404)
    expect([await from('2001:db8:1:2::1'), await from('2001:db8:1:2::2'), await from('2001:db8:1:2:ffff::3')]).toEqual([
      404, 404, 429,
    ])
    expect(await from('2001:db8:1:3::1')).toBe(404)
    await b.close()
  })

  it('count by who connects where no proxy is believed', async () => {
    const b = await bench({ times: { sweepMs: 3_600_000 }, limits: { shared: { points: 1, perMs: 60_000 } } })
    const from = async (remoteAddress: string, forwarded: string) => {
      const headers = { 'x-forwarded-for': forwarded }
      return (await b.storage.http.inject({ url: '/chat/openapi.json', headers, remoteAddress })).statusCode
    }
    expect([await from('192.0.2.1', '203.0.113.1'), await from('192.0.2.1', '203.0.113.2')]).toEqual([200, 429])
    expect(await from('192.0.2.2', '203.0.113.1')).toBe(200)
    await b.close()
  })
})
