import { type Answer, answerId, newAnswer, sessionId, userId } from '@chatbox/core'
import type { FakeCall, Step } from '@chatbox/testkit/providers'
import { describe, expect, it } from 'vitest'
import { ModelAway } from '../../src/gate.ts'
import { type Asked as AskedTurn, house, says } from '../support/house.ts'
import { askedBy, openedDify } from './dify/opened.ts'

const UID = userId('ada@example.org')
const SID = sessionId('a-session')
const here = { sid: SID, uid: UID, modelId: 'dify' }

const saying = (text: string) => ({ steps: [{ say: text }, { end: 'stop' }] as Step[] })

/** A session whose first question Dify has answered. */
async function answeredOnce() {
  const [dify, home] = [await openedDify(), await house()]
  const { fake } = dify
  home.models.set('dify', { provider: dify.provider, name: 'an-app', contextTokens: 2_000 })
  await home.worker()
  fake.next(saying('Eight.'))
  const first = await home.ask('How many legs has a spider?', here)
  const { thread } = await home.ended(first)
  return { ...home, ...dify, first, thread }
}
type Home = Awaited<ReturnType<typeof answeredOnce>>

/** What the provider was told by a call: in which of its conversations, and the texts. */
const toldBy = (heard: Home['heard'], call: FakeCall) => ({
  conversation: askedBy(call).conversation_id,
  texts: heard(call).messages.map(({ text }) => text),
})

const WHOLE = ['How many legs has a spider?', 'Eight.']

async function lastTold({ fake, heard }: Home) {
  return toldBy(heard, await fake.call(fake.calls.length - 1))
}

/** Puts a new answer in the place of one, as regenerating does, and queues it. */
async function askAgain(
  { conversations, fabric }: Home,
  { sid, answerId: old, turn }: AskedTurn,
  modelId = 'dify',
): Promise<AskedTurn> {
  const next: Answer = newAnswer(answerId(`${old}-again`), modelId, Date.now(), undefined)
  await conversations.supersede(sid, turn.seq, old, next)
  await fabric.jobs.enqueue({ sid, answerId: next.answerId, n: 0 })
  return { uid: UID, sid, answerId: next.answerId, seq: turn.seq + 1, turn }
}

describe('a conversation of Dify, seen from a session', () => {
  it('is stored with the answer that is done, and gone on in with the next question alone', async () => {
    const home = await answeredOnce()
    const { ask, ended, thread } = home
    expect(thread).toMatch(/^[\da-f-]{36}$/)
    const second = await ended(await ask('And an ant?', here))
    expect(await lastTold(home)).toEqual({ conversation: thread, texts: ['And an ant?'] })
    expect(second.thread).toBe(thread)
  })

  it('never hears the id of the user', async () => {
    const { fake, ask, ended } = await answeredOnce()
    await ended(await ask('And an ant?', here))
    for (const call of fake.calls) {
      expect(askedBy(call).user).toBe(SID)
      expect(JSON.stringify(call)).not.toContain(UID)
    }
  })

  it('hears in the next question what humans and the user said meanwhile', async () => {
    const home = await answeredOnce()
    const { conversations, ask, ended, first, thread, heard, fake } = home
    const { cmid: _, answer: __, ...row } = first.turn
    const said = [
      { author: 'system', kind: 'system', event: 'takeover', text: 'Berta joined.' },
      { author: 'admin', kind: 'text', text: 'Some have lost one.' },
      { author: 'user', kind: 'text', text: 'Poor thing.' },
    ] as const
    for (const [i, { text, ...of }] of said.entries()) {
      await conversations.insertTurn({ ...row, ...of, width: 1, seq: 3 + i, content: { text } })
    }
    await ended(await ask('And an ant?', here))
    expect((await lastTold(home)).conversation).toBe(thread)
    const { messages } = heard(await fake.call(1))
    expect(messages.map(({ role }) => role)).toEqual(['assistant', 'user', 'user'])
    expect(messages[0]?.text).toMatch(/human[\s\S]*Some have lost one\./)
    expect(messages.slice(1).map(({ text }) => text)).toEqual(['Poor thing.', 'And an ant?'])
  })

  it('is left after an answer that was cancelled, whose run was stopped, and begun anew with all that was said', async () => {
    const home = await answeredOnce()
    const { fake, ask, ended, fabric, device, thread } = home
    fake.next({ steps: [{ say: 'Six, and' }, { hang: true }] })
    const screen = await device(UID)
    const second = await ask('And an ant?', here)
    await screen.frame(says('Six, and'))
    await fabric.answers.cancel(second)
    const cancelled = await ended(second)
    expect(cancelled).toMatchObject({ status: 'cancelled', text: 'Six, and' })
    expect(cancelled.thread).toBeUndefined()
    expect((await fake.stopped(0)).user).toBe(SID)

    const third = await ended(await ask('And a crab?', here))
    const texts = [...WHOLE, 'And an ant?', 'Six, and', 'And a crab?']
    expect(await lastTold(home)).toEqual({ conversation: undefined, texts })
    expect(third.thread).toMatch(/^[\da-f-]{36}$/)
    expect(third.thread).not.toBe(thread)
    await ended(await ask('And a cat?', here))
    expect(await lastTold(home)).toEqual({ conversation: third.thread, texts: ['And a cat?'] })
  })

  it('is left after an answer that failed', async () => {
    const home = await answeredOnce()
    const { fake, ask, ended } = home
    fake.next({ status: 401 })
    const failed = await ended(await ask('And an ant?', here))
    expect([failed.status, failed.thread]).toEqual(['failed', undefined])
    await ended(await ask('And a crab?', here))
    expect(await lastTold(home)).toEqual({ conversation: undefined, texts: [...WHOLE, 'And an ant?', 'And a crab?'] })
  })

  it('is left when an answer is replaced by another, which does not hear of the one before', async () => {
    const home = await answeredOnce()
    const { fake, ask, ended, thread } = home
    fake.next(saying('Six.'), saying('Six, I said.'))
    const second = await ask('And an ant?', here)
    expect((await ended(second)).thread).toBe(thread)
    const again = await ended(await askAgain(home, second))
    expect(await lastTold(home)).toEqual({ conversation: undefined, texts: [...WHOLE, 'And an ant?'] })
    expect(again.thread).not.toBe(thread)
    await ended(await ask('And a crab?', here))
    expect(await lastTold(home)).toEqual({ conversation: again.thread, texts: ['And a crab?'] })
  })

  it('is left when an earlier answer was replaced since, which it knows as it was, but not for the answers after that', async () => {
    const home = await answeredOnce()
    const { fake, ask, ended, first, thread } = home
    fake.next(saying('Six.'), saying('Eight legs.'), saying('Ten.'), saying('Many.'))
    const second = await ended(await ask('And an ant?', here))
    expect(second.thread).toBe(thread)
    await ended(await askAgain(home, first))
    const third = await ended(await ask('And a crab?', here))
    const texts = ['How many legs has a spider?', 'Eight legs.', 'And an ant?', 'Six.', 'And a crab?']
    expect(await lastTold(home)).toEqual({ conversation: undefined, texts })
    expect(third.thread).not.toBe(thread)
    await ended(await ask('And a millipede?', here))
    expect(await lastTold(home)).toEqual({ conversation: third.thread, texts: ['And a millipede?'] })
  })

  it('is left also for what was replaced further up than the budget reaches', async () => {
    const home = await answeredOnce()
    const { fake, ask, ended, models, first, thread } = home
    const model = models.get('dify')
    if (model) models.set('dify', { ...model, contextTokens: 30 })
    const long = 'And what of an ant, if it is one of those that live in the garden, by the wall?'
    fake.next(saying('Six.'))
    expect((await ended(await ask(long, here))).thread).toBe(thread)
    const next = await ended(await ask('And a crab?', here))
    // Whoever remembers by itself was told everything.
    expect(next.notices).toBeUndefined()
    expect((await lastTold(home)).conversation).toBe(thread)
    fake.next(saying('Eight legs.'))
    await ended(await askAgain(home, first))
    const last = await ended(await ask('And a millipede?', here))
    expect((await lastTold(home)).conversation).toBeUndefined()
    expect(last.notices).toEqual(['context_trimmed'])
  })

  it('is not gone on in by a model that stands in for another, nor by the other after that', async () => {
    const home = await answeredOnce()
    const { ask, ended, models, fake, thread } = home
    const away = { enter: () => Promise.reject(new ModelAway()) }
    const dify = models.get('dify')
    if (!dify) throw new Error('no model')
    models.set('chosen', { ...dify, gate: away, fallback: 'dify' })
    const asked = await ask('And an ant?', { ...here, modelId: 'chosen' })
    const stoodIn = await ended(asked)
    expect(stoodIn).toMatchObject({ status: 'done', modelId: 'dify', notices: ['model_fallback'] })
    expect(stoodIn.thread).not.toBe(thread)
    expect(await lastTold(home)).toEqual({ conversation: undefined, texts: [...WHOLE, 'And an ant?'] })
    // Asked for again, by the model that was chosen: again it is stood in for, and nothing superseded is told.
    fake.next(saying('Six.'))
    const again = await ended(await askAgain(home, asked, 'chosen'))
    expect(again).toMatchObject({ status: 'done', text: 'Six.', modelId: 'dify', notices: ['model_fallback'] })
    expect(await lastTold(home)).toEqual({ conversation: undefined, texts: [...WHOLE, 'And an ant?'] })
    expect(new Set([thread, stoodIn.thread, again.thread]).size).toBe(3)
    // Back again, it was not there when that was answered.
    models.set('chosen', dify)
    await ended(await ask('And a crab?', { ...here, modelId: 'chosen' }))
    expect((await lastTold(home)).conversation).toBeUndefined()
    // The one that answered goes on where it was.
    const own = await ended(await ask('And a crab?', here))
    expect(own.modelId).toBe('dify')
    expect(own.notices).toBeUndefined()
  })

  it('is left when another model has answered meanwhile', async () => {
    const home = await answeredOnce()
    const { ask, ended, models } = home
    const another = await openedDify()
    models.set('another', { provider: another.provider, name: 'another-app', contextTokens: 2_000 })
    await ended(await ask('And an ant?', { ...here, modelId: 'another' }))
    expect(toldBy(another.heard, await another.fake.call(0)).conversation).toBeUndefined()
    await ended(await ask('And a crab?', here))
    const texts = [...WHOLE, 'And an ant?', 'Hello.', 'And a crab?']
    expect(await lastTold(home)).toEqual({ conversation: undefined, texts })
  })

  it('is left by a second try at the same question, for nobody knows what the first one has left in it', async () => {
    const home = await answeredOnce()
    const { fake, heard, ask, ended, thread } = home
    fake.next({ status: 503 })
    const second = await ended(await ask('And an ant?', here))
    expect(second.status).toBe('done')
    expect(toldBy(heard, await fake.call(1)).conversation).toBe(thread)
    expect(await lastTold(home)).toEqual({ conversation: undefined, texts: [...WHOLE, 'And an ant?'] })
  })

  it('is left by a worker that takes over', async () => {
    const home = await answeredOnce()
    const { fake, ask, ended, device, memory, thread } = home
    fake.next({ steps: [{ say: 'Six, and' }, { hang: true }] })
    const screen = await device(UID)
    const second = await ask('And an ant?', here)
    await screen.frame(says('Six, and'))
    memory.test.jobs.lose({ ...second, n: 0 })
    const answer = await ended(second)
    expect(answer).toMatchObject({ status: 'done', text: 'Hello.', attempt: 2 })
    expect(answer.thread).not.toBe(thread)
    expect(await lastTold(home)).toEqual({ conversation: undefined, texts: [...WHOLE, 'And an ant?'] })
  })

  it('that Dify has lost is begun anew within the same answer', async () => {
    const home = await answeredOnce()
    const { fake, ask, ended, thread } = home
    fake.loseConversations()
    const second = await ended(await ask('And an ant?', here))
    expect(second).toMatchObject({ status: 'done', text: 'Hello.', attempt: 1, faults: 0 })
    expect(await lastTold(home)).toEqual({ conversation: undefined, texts: [...WHOLE, 'And an ant?'] })
    expect(fake.calls).toHaveLength(3)
    expect(second.thread).not.toBe(thread)
  })
})
