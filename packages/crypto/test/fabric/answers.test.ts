import { type AnswerRef, answerId, type ChunkPacket, type EventHeader, userId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { ring } from '../rings.ts'
import { openFabric } from './open-fabric.ts'
import { anna, bytes, chunk, end, event, refOf, SECRET, sid, textIn } from './samples.ts'

const edited = (packet: ChunkPacket): ChunkPacket => ({ ...packet, body: bytes('edited') })

/** A fabric whose store changes chunks as they come in. */
function tampered(change: (packet: ChunkPacket, ref: AnswerRef, index: number) => ChunkPacket) {
  return openFabric((inner) => ({
    ...inner,
    answers: {
      ...inner.answers,
      append: (chunks) =>
        inner.answers.append(chunks.map((one) => ({ ...one, chunk: change(one.chunk, one.ref, one.index) }))),
    },
  }))
}

async function write({ sealed }: ReturnType<typeof openFabric>, ref: AnswerRef, texts: readonly string[]) {
  await sealed.answers.begin(ref, 1, 0, event('started'))
  await sealed.answers.append(texts.map((text, index) => chunk(ref, index, text)))
}

describe('open answers', () => {
  const [one, two] = [refOf(anna, 'answer-1'), refOf(anna, 'answer-2')]

  it('come back under the user’s own id, from a snapshot, a close and a fence', async () => {
    const opened = openFabric()
    await write(opened, one, ['a', 'b'])
    await write(opened, two, ['c'])
    const { answers } = opened.sealed
    const snapshot = await answers.snapshot(anna)
    expect(snapshot.open.map(({ ref, chunks }) => [ref, chunks.map(textIn)])).toEqual([
      [one, ['a', 'b']],
      [two, ['c']],
    ])
    expect((await answers.close(one)).ref).toEqual(one)
    expect((await answers.fence(anna, sid, 1)).map(({ ref }) => ref)).toContainEqual(two)
  })

  it('are left out of a snapshot when a chunk does not open; the others are in it', async () => {
    const opened = tampered((packet, ref, index) =>
      ref.answerId === one.answerId && index === 1 ? edited(packet) : packet,
    )
    await write(opened, one, ['a', 'b', 'c'])
    await write(opened, two, ['d'])
    const { open } = await opened.sealed.answers.snapshot(anna)
    expect(open.map(({ ref }) => ref.answerId)).toEqual([two.answerId])
    expect(opened.unopenable).toEqual(['chunk'])
  })

  it('close with the text before the first chunk that does not open, and without an end that does not', async () => {
    const opened = tampered((packet, _ref, index) => (index === 2 ? edited(packet) : packet))
    await write(opened, one, ['a', 'b', 'c', 'd'])
    await write(opened, two, ['e'])
    await opened.inner.answers.end({ ...two, uid: (await innerRef(opened)).uid }, 1, {
      header: end(two).header,
      body: bytes('edited'),
    })
    expect((await opened.sealed.answers.close(one)).chunks.map(textIn)).toEqual(['a', 'b'])
    expect((await opened.sealed.answers.close(two)).end).toBeUndefined()
    expect(opened.unopenable.toSorted()).toEqual(['chunk', 'end'])
  })

  it.each([
    ['answer', { answerId: answerId('answer-2') }],
    ['attempt', { attempt: 2 }],
  ])('do not take the chunk of another %s for theirs, though it opens', async (_what, header: Partial<EventHeader>) => {
    const opened = openFabric()
    const foreign = {
      ...chunk(one, 0, 'foreign'),
      chunk: event('foreign', { ...chunk(one, 0).chunk.header, ...header }),
    }
    await opened.sealed.answers.begin(one, 1, 0, event('started'))
    await opened.sealed.answers.append([foreign])
    expect((await opened.sealed.answers.snapshot(anna)).open).toEqual([])
    expect((await opened.sealed.answers.close(one)).chunks).toEqual([])
    expect(opened.unopenable).toEqual(['chunk', 'chunk'])
  })

  it('have an end only where it is their own', async () => {
    const opened = openFabric()
    const { answers } = opened.sealed
    await write(opened, one, ['a'])
    await write(opened, two, ['b'])
    await answers.end(one, 1, end(one))
    await answers.end(two, 1, end(one))
    const [first, second] = await answers.inspect([one, two])
    expect(textIn(first?.end)).toBe(SECRET)
    expect(second).toMatchObject({ state: 'ended' })
    expect(second?.end).toBeUndefined()
    expect((await answers.close(two)).end).toBeUndefined()
    expect(opened.unopenable).toEqual(['end', 'end'])
  })
})

async function innerRef({ inner }: ReturnType<typeof openFabric>): Promise<AnswerRef> {
  const { open } = await inner.answers.snapshot(userId(ring('k1').tag(anna, 'user')))
  const [answer] = open
  if (!answer) throw new Error('no open answer')
  return answer.ref
}
