import { clientMessageId, requestId, sessionId } from '@chatbox/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Bench, bench, user } from './fixture.ts'

const alice = user('alice')
const mallory = user('mallory')
const sid = sessionId('session-1')

describe('a message', () => {
  let b: Bench
  beforeEach(async () => {
    b = await bench()
  })
  afterEach(() => b.close())

  it('makes a new session, named after it, and is announced with the answer that will come', async () => {
    const events = await b.events(alice)
    expect(await b.say(alice, sid, 'How do I start?\nI am new.', { cmid: 'm1' })).toEqual({ ok: true })
    const message = await events.waitFor((frame) => frame.type === 'message')
    expect(message).toMatchObject({ sid, seq: 1, clientMessageId: 'm1', answer: { seq: 2, status: 'pending' } })
    const updated = await events.waitFor((frame) => frame.type === 'session.updated')
    expect(updated).toMatchObject({ session: { id: sid, name: 'How do I start?', messageCount: 2 } })
    expect(await b.deps.fabric.jobs.depth()).toEqual({ waiting: 1, active: 0 })
  })

  it('is the same message when it is sent again, and another body under its id is a conflict (P2)', async () => {
    await b.say(alice, sid, 'first', { cmid: 'm1' })
    expect(await b.say(alice, sid, 'first', { cmid: 'm1' })).toEqual({ ok: true })
    expect(await b.say(alice, sid, 'second', { cmid: 'm1' })).toEqual({ ok: false, code: 'conflict' })
    expect((await b.conversations.totals(sid)).nextSeq).toBe(3)
    expect((await b.deps.fabric.jobs.depth()).waiting).toBe(1)
  })

  it('that was accepted stays accepted when it is sent again after the session has ended', async () => {
    await b.say(alice, sid, 'first', { cmid: 'm1' })
    await b.ask({ kind: 'session.end', uid: alice, sid, requestId: requestId('end') })
    expect(await b.say(alice, sid, 'first', { cmid: 'm1' })).toEqual({ ok: true })
    expect(await b.say(alice, sid, 'late', { cmid: 'm2' })).toEqual({ ok: false, code: 'session_ended' })
  })

  it('for a session of somebody else, or for none, is refused alike (S1)', async () => {
    await b.say(alice, sid, 'mine')
    expect(await b.say(mallory, sid, 'yours?', { fresh: true })).toEqual({ ok: false, code: 'not_found' })
    expect(await b.say(mallory, sid, 'yours?', { fresh: false })).toEqual({ ok: false, code: 'not_found' })
    expect(await b.say(mallory, sessionId('nowhere'), 'hm', { fresh: false })).toEqual({ ok: false, code: 'not_found' })
    const turns = await b.conversations.turns(sid, { limit: 10, after: 0 })
    expect(turns.map((turn) => turn.content.text)).toEqual(['mine'])
  })

  it('with a model that is not configured is refused, and one that is stays chosen', async () => {
    const said = (modelId: string) => ({
      said: {
        author: 'user' as const,
        authorId: alice,
        cmid: clientMessageId(modelId),
        kind: 'text' as const,
        content: { text: 'hi' },
        modelId,
      },
    })
    expect(await b.say(alice, sid, 'hi', said('nonsense'))).toEqual({ ok: false, code: 'not_found' })
    expect(await b.say(alice, sid, 'hi', said('other'))).toEqual({ ok: true })
    expect((await b.conversations.session(sid))?.modelId).toBe('other')
  })

  it('beyond the answers that may wait is refused as busy; the one whose turn it is has a job, the others have none (R16)', async () => {
    for (let i = 0; i < 9; i++) expect(await b.say(alice, sid, `question ${i}`)).toEqual({ ok: true })
    expect(await b.say(alice, sid, 'one too many')).toEqual({ ok: false, code: 'busy' })
    expect((await b.deps.fabric.jobs.depth()).waiting).toBe(1)
  })

  it('past its deadline is refused as expired and never applied (R9)', async () => {
    expect(await b.say(alice, sid, 'late', { cmid: 'm1' })).toEqual({ ok: true })
    const outcome = await b.ask(
      {
        kind: 'send',
        uid: alice,
        sid,
        requestId: requestId('late'),
        fresh: false,
        said: {
          author: 'user',
          authorId: alice,
          cmid: clientMessageId('m2'),
          kind: 'text',
          content: { text: 'too late' },
        },
      },
      -1,
    )
    expect(outcome).toEqual({ ok: false, code: 'expired' })
    expect((await b.conversations.totals(sid)).nextSeq).toBe(3)
  })

  it('leaves nothing of itself in the log', async () => {
    await b.say(alice, sid, 'canary-in-a-message', { cmid: 'm1' })
    await b.say(alice, sid, 'canary-in-a-conflict', { cmid: 'm1' })
    expect(b.log.join('\n')).not.toContain('canary')
  })
})
