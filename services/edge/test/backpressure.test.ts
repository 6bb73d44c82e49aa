import { answerId, deltaEvent, sessionId, userId } from '@chatbox/core'
import { shownTexts, textMark, type WireClient } from '@chatbox/testkit/wire'
import { describe, expect, it } from 'vitest'
import { echo, type OpenEdge, openEdge, until, untilEmpty } from './support/open-edge.ts'

const at = (client: WireClient): string | undefined => {
  const frame = client.frames.findLast((each) => 'at' in each && each.at !== undefined)
  return frame && 'at' in frame ? frame.at : undefined
}
const texts = (client: WireClient) => client.frames.flatMap((frame) => (frame.type === 'message' ? [frame.text] : []))

/** Lets the sockets work; whoever publishes in one go leaves them no time. */
const breathe = () => new Promise((resolve) => setImmediate(resolve))

/** Deltas of an answer that nobody has a record of, so many bytes of them: what fills a peer's buffers. */
async function stream(open: OpenEdge, user: string, bytes: number): Promise<void> {
  const uid = userId(user)
  const ref = { uid, sid: sessionId('sid-filler'), answerId: answerId('filler'), seq: 2 }
  for (let index = 0; index * 20_000 < bytes; index++) {
    await open.fabric.bus.signal(uid, deltaEvent(ref, 1, index, 'x'.repeat(20_000)))
    await breathe()
  }
}

/** What a peer that reads nothing has been sent. */
const received = (client: WireClient) =>
  client.frames.reduce((sum, frame) => sum + Buffer.byteLength(JSON.stringify(frame)), 0)

/** More than the system's own buffers of a loopback connection take. */
const FLOOD = 30_000_000

describe('a client that stops reading (P10)', () => {
  it('has deltas skipped, harms nobody else, and ends with the right text', { timeout: 60_000 }, async () => {
    const open = await openEdge()
    const [slow, tablet, bob] = [await open.device('ada'), await open.device('ada'), await open.device('bob')]
    slow.socket.pause()
    await stream(open, 'ada', FLOOD)
    await tablet.waitFor('answer.delta', ({ index }) => index === FLOOD / 20_000 - 1)
    await echo(bob)

    const writing = await open.storage.ask('ada')
    for (let i = 0; i < 20; i++) await writing.write(`said while nobody read ${i} `)
    await open.storage.say('ada', 'also said', { sid: 'sid-2' })
    await tablet.waitFor('message', ({ text }) => text === 'also said')
    expect(slow.frames.some(({ type }) => type === 'answer.delta')).toBe(false)

    slow.socket.resume()
    await slow.waitFor('answer.snapshot', (snapshot) => snapshot.answerId === writing.ref.answerId)
    await writing.write('and the rest')
    await writing.done()
    const { length, hash } = await slow.waitFor('answer.done')
    expect(textMark(shownTexts(slow.frames).get(writing.ref.answerId)?.text ?? '')).toEqual({ length, hash })
    // What must arrive was not skipped.
    expect(texts(slow)).toEqual(texts(tablet))
    // What it was sent is what the system's buffers took, not what was streamed.
    expect(received(slow)).toBeLessThan(FLOOD / 2)
    expect(await open.metric('edge_repairs_total')).toBeGreaterThan(0)
    expect(tablet.frames.some(({ type }) => type === 'answer.snapshot')).toBe(false)
  })

  it('far beyond the hard mark is closed with 4000 or cut, and can resume', { timeout: 60_000 }, async () => {
    const open = await openEdge({
      outbox: { hardBytes: 500_000, missedBytes: FLOOD },
      memory: { bounds: { logEvents: 5_000 } },
    })
    const [slow, tablet] = [await open.device('ada', 'd-1'), await open.device('ada', 'd-2')]
    await open.storage.say('ada', 'first')
    await slow.waitFor('message')
    slow.socket.pause()
    for (let i = 0; i < 2_000; i++) {
      await open.storage.say('ada', `${i} ${'x'.repeat(9_900)}`)
      await breathe()
    }
    await until(
      async () => (await open.metric('edge_closed_total', '{reason="slow_consumer"}')) === 1,
      'it was given up',
    )
    await tablet.waitFor('message', ({ text }) => text.startsWith('1999 '))
    expect(await open.metric('edge_connections')).toBe(1)
    slow.socket.resume()
    const { code } = await slow.closed()
    expect([4000, 1006]).toContain(code)

    const back = await open.device('ada', 'd-1', at(slow))
    expect(back.frames[0]).toMatchObject({ type: 'ready', recovered: true })
    await back.waitFor('message', ({ text }) => text.startsWith('1999 '))
    expect([...texts(slow), ...texts(back)]).toEqual(texts(tablet))
    await echo(back)
    for (const client of [back, tablet]) await client.close()
    await untilEmpty(open)
  })

  it('is not waited for by a flood of its own questions', async () => {
    const open = await openEdge({ outbox: { hardBytes: 100_000 } })
    const flooding = await open.device('ada')
    const bob = await open.device('bob')
    flooding.socket.pause()
    for (let i = 0; i < 200_000 && flooding.socket.bufferedAmount < 5_000_000; i++) {
      flooding.send({ type: 'ping', requestId: `p-${i}` })
      if (i % 1_000 === 0) {
        await breathe()
        if ((await open.metric('edge_closed_total', '{reason="slow_consumer"}')) > 0) break
      }
    }
    await echo(bob)
    await until(
      async () => (await open.metric('edge_closed_total', '{reason="slow_consumer"}')) === 1,
      'it was given up',
    )
  })
})
