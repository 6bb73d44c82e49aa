import { shownTexts } from '@chatbox/testkit/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { cleanUp, dataFolder, say, startSystem } from './system.ts'

describe('a restart', () => {
  afterEach(cleanUp)

  it('after SIGKILL in the middle of an answer does the answer again, and it ends once (P5, P6)', async () => {
    const data = dataFolder()
    const first = await startSystem({ data })
    const before = await first.device('tab')
    const { sid, answer } = await say(before, 'Answer slowly, please')
    await before.waitFor('answer.delta', (frame) => frame.index >= 3)
    first.process.kill('SIGKILL')
    await first.process.exited

    const second = await startSystem({ data })
    const at = before.frames.map((frame) => ('at' in frame ? frame.at : undefined)).findLast(Boolean)
    const after = await second.device('tab', { resume: at ?? '' })
    expect(after.frames[0]).toMatchObject({ type: 'ready', recovered: false })
    const done = await after.waitFor('answer.done', (frame) => frame.answerId === answer?.answerId)
    expect(done).toMatchObject({ status: 'done', attempt: 2 })
    const messages = await second.messages(sid)
    expect(messages.map((message) => message.seq)).toEqual([1, 2])
    expect(shownTexts(after.frames).get(done.answerId)?.text).toBe(messages[1]?.text)
    await after.waitFor('session.updated', (frame) => frame.session.totalTokens > 0)
    expect(after.frames.filter((frame) => frame.type === 'answer.done')).toHaveLength(1)
  })

  it('keeps every session, and whoever had the page open need not sign in again', async () => {
    const data = dataFolder()
    const first = await startSystem({ data })
    const device = await first.device('tab')
    const { sid } = await say(device, 'Remember me')
    await device.waitFor('answer.done')
    const token = await first.token()
    first.process.kill('SIGTERM')
    expect(await first.process.exited).toEqual({ code: 0, signal: null })
    expect(await device.closed()).toMatchObject({ code: 1012 })
    // Until its moment comes it is served as ever.
    expect(device.frames.filter(({ type }) => type === 'reconnect')).toHaveLength(1)

    const second = await startSystem({ data })
    const response = await fetch(new URL('/chat/sessions', second.url), {
      headers: { authorization: `Bearer ${token}` },
    })
    expect(await response.json()).toMatchObject({ sessions: [{ id: sid, name: 'Remember me', messageCount: 2 }] })
  })

  it('by SIGTERM in the middle of an answer loses nothing, and the answer is done after', async () => {
    const data = dataFolder()
    const first = await startSystem({ data })
    const before = await first.device('tab')
    const { sid, answer } = await say(before, 'Answer slowly, please')
    await before.waitFor('answer.delta', (frame) => frame.index >= 1)
    first.process.kill('SIGTERM')
    expect((await first.process.exited).code).toBe(0)

    const second = await startSystem({ data })
    const after = await second.device('tab')
    const done = await after.waitFor('answer.done', (frame) => frame.answerId === answer?.answerId)
    expect(done).toMatchObject({ status: 'done' })
    expect((await second.messages(sid)).map((message) => message.seq)).toEqual([1, 2])
  })
})
