import { shownTexts, textMark } from '@chatbox/testkit/wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cleanUp, type System, say, startSystem } from './system.ts'

describe('the devices of one user', () => {
  let system: System
  beforeAll(async () => {
    system = await startSystem()
  })
  afterAll(cleanUp)

  it('see the same events in the same order, and the text that is stored', async () => {
    const [one, two] = await Promise.all([system.device('one'), system.device('two')])
    const accepted = await say(one, 'What can you do?')
    const done = await Promise.all([one.waitFor('answer.done'), two.waitFor('answer.done')])
    expect(done[0]).toMatchObject({ status: 'done', sid: accepted.sid, seq: 2 })

    const logged = (frames: typeof one.frames) => frames.filter((frame) => 'at' in frame && frame.type !== 'ready')
    await Promise.all([one, two].map((device) => device.waitFor('session.updated', (f) => f.session.totalTokens > 0)))
    expect(logged(two.frames)).toEqual(logged(one.frames))

    const [question, answer] = await system.messages(accepted.sid)
    expect(question).toMatchObject({ author: 'user', seq: 1, text: 'What can you do?' })
    expect(answer).toMatchObject({ author: 'assistant', seq: 2, status: 'done' })
    for (const device of [one, two]) {
      expect(shownTexts(device.frames).get(done[0].answerId)?.text).toBe(answer?.text)
    }
    expect(done[0]).toMatchObject(textMark(answer?.text ?? ''))
    await Promise.all([one.close(), two.close()])
  })

  it('make one message of a sending that is repeated ten times at once from two of them (P2)', async () => {
    const [one, two] = await Promise.all([system.device('one'), system.device('two')])
    const clientMessageId = 'ten-times'
    for (let i = 0; i < 5; i++) {
      for (const device of [one, two]) device.send({ type: 'message.send', text: 'only once', clientMessageId })
    }
    const seenBy = (device: typeof one) =>
      device.waitFor('message', (frame) => frame.clientMessageId === clientMessageId)
    const { sid } = await seenBy(one)
    expect((await seenBy(two)).sid).toBe(sid)
    await one.waitFor('answer.done', (frame) => frame.sid === sid)
    const messages = await system.messages(sid)
    expect(messages.map((message) => [message.seq, message.author])).toEqual([
      [1, 'user'],
      [2, 'assistant'],
    ])
    one.send({ type: 'message.send', text: 'another body', clientMessageId })
    expect(await one.waitFor('error')).toMatchObject({ code: 'conflict', clientMessageId })
    await Promise.all([one.close(), two.close()])
  })

  it('that reconnects in the middle of an answer ends with the stored text', async () => {
    const watcher = await system.device('watcher')
    const first = await system.device('mover')
    const { sid, answer } = await say(first, 'Answer slowly, please')
    const answerId = answer?.answerId
    await first.waitFor('answer.delta', (frame) => frame.answerId === answerId && frame.index >= 3)
    const at = first.frames
      .map((frame) => ('at' in frame ? frame.at : undefined))
      .findLast((place) => place !== undefined)
    first.cut()

    const second = await system.device('mover', { resume: at ?? '' })
    expect(second.frames[0]).toMatchObject({ type: 'ready', recovered: true })
    const snapshot = await second.waitFor('answer.snapshot')
    expect(snapshot).toMatchObject({ answerId, sid })
    const done = await second.waitFor('answer.done', (frame) => frame.answerId === answerId)
    const stored = (await system.messages(sid)).find((message) => message.seq === 2)
    expect(shownTexts(second.frames).get(done.answerId)?.text).toBe(stored?.text)
    await Promise.all([second.close(), watcher.close()])
  })

  it('that reads nothing for a while ends with the stored text all the same', async () => {
    const slow = await system.device('slow')
    const quick = await system.device('quick')
    const { sid, answer } = await say(quick, 'Write something long, please')
    await slow.waitFor('answer.delta', (frame) => frame.answerId === answer?.answerId)
    slow.socket.pause()
    await quick.waitFor('answer.delta', (frame) => frame.answerId === answer?.answerId && frame.index > 20)
    slow.socket.resume()
    const done = await slow.waitFor('answer.done', (frame) => frame.answerId === answer?.answerId)
    const stored = (await system.messages(sid)).find((message) => message.seq === 2)
    expect(done).toMatchObject(textMark(stored?.text ?? ''))
    await Promise.all([slow.close(), quick.close()])
  })

  it('can stop an answer from the other one, and keep what was said (L3)', async () => {
    const [one, two] = await Promise.all([system.device('one'), system.device('two')])
    const { sid, answer } = await say(one, 'Answer slowly, please')
    await one.waitFor('answer.delta', (frame) => frame.answerId === answer?.answerId && frame.index >= 1)
    two.send({ type: 'answer.cancel', sid, answerId: answer?.answerId ?? '' })
    const done = await one.waitFor('answer.done', (frame) => frame.answerId === answer?.answerId)
    expect(done).toMatchObject({ status: 'cancelled' })
    const stored = (await system.messages(sid)).find((message) => message.seq === 2)
    expect(stored).toMatchObject({ status: 'cancelled', usage: { estimated: true } })
    expect(shownTexts(one.frames).get(done.answerId)?.text).toBe(stored?.text)
    expect(stored?.text.length).toBeGreaterThan(0)
    await Promise.all([one.close(), two.close()])
  })
})
