import { describe, expect, it } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { record, textsHeardBy } from '../recorder.ts'
import { chunkPacket, endPacket, someAnswer, texts } from '../samples.ts'
import { append, begin, openText, write } from './writing.ts'

export function mergeContract(build: Build<'answers' | 'bus'>): void {
  describe('merge', () => {
    const open = opener(build)
    const five = ['a', 'b', 'c', 'd', 'e']

    it('puts one segment in the place of the first chunks; text and next index stay, and writing goes on', async () => {
      const { answers, bus } = await open()
      const ref = someAnswer()
      await write(answers, ref, five)
      const heard = await record(bus, ref.uid)
      expect(await answers.merge(ref, 1, 0, 3, chunkPacket(ref, 1, 0, 'abc'))).toBe(true)

      const { open: opened } = await answers.snapshot(ref.uid)
      expect(opened).toMatchObject([{ attempt: 1, next: 5 }])
      expect(texts(opened[0]?.chunks ?? [])).toEqual(['abc', 'd', 'e'])
      expect(await append(answers, ref, 1, 5, 'f')).toBe('accepted')
      expect(await append(answers, ref, 1, 1, 'b')).toBe('accepted')
      expect(await openText(answers, ref)).toBe('abcdef')
      expect(await textsHeardBy(bus, ref.uid, heard)).toEqual(['f'])
    })

    it('may come again, and may take in an earlier segment', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, five)
      for (let i = 0; i < 2; i += 1) expect(await answers.merge(ref, 1, 0, 2, chunkPacket(ref, 1, 0, 'ab'))).toBe(true)
      expect(await answers.merge(ref, 1, 0, 5, chunkPacket(ref, 1, 0, 'abcde'))).toBe(true)
      const closed = await answers.close(ref)
      expect(texts(closed.chunks)).toEqual(['abcde'])
    })

    it('adds a segment behind another, so that a long text is written twice at most', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, [...five, 'f', 'g'])
      expect(await answers.merge(ref, 1, 0, 2, chunkPacket(ref, 1, 1, 'ab'))).toBe(true)
      expect(await answers.merge(ref, 1, 2, 5, chunkPacket(ref, 1, 4, 'cde'))).toBe(true)
      const { open: opened } = await answers.snapshot(ref.uid)
      expect(opened).toMatchObject([{ attempt: 1, next: 7 }])
      expect(texts(opened[0]?.chunks ?? [])).toEqual(['ab', 'cde', 'f', 'g'])
      expect(await append(answers, ref, 1, 7, 'h')).toBe('accepted')
      for (let i = 0; i < 2; i += 1) {
        expect(await answers.merge(ref, 1, 2, 5, chunkPacket(ref, 1, 4, 'cde'))).toBe(true)
        expect(await openText(answers, ref)).toBe('abcdefgh')
      }
      expect(await answers.merge(ref, 1, 0, 5, chunkPacket(ref, 1, 4, 'abcde'))).toBe(true)
      expect(texts((await answers.close(ref)).chunks)).toEqual(['abcde', 'f', 'g', 'h'])
    })

    it('begins at the front or where a segment ends, and cuts no segment in two', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, [...five, 'f', 'g'])
      const merge = (from: number, upTo: number) => {
        const said = 'abcdefg'.slice(from, upTo)
        return answers.merge(ref, 1, from, upTo, chunkPacket(ref, 1, Math.max(0, upTo - 1), said))
      }
      expect(await merge(1, 3)).toBe(false)
      expect(await merge(0, 3)).toBe(true)
      expect(await merge(3, 5)).toBe(true)
      for (const [from, upTo] of [
        [1, 5],
        [2, 6],
        [4, 6],
        [6, 7],
        [0, 4],
        [3, 4],
        [5, 5],
        [5, 3],
        [-1, 5],
        [5, 8],
      ] as const) {
        expect([from, upTo, await merge(from, upTo)]).toEqual([from, upTo, false])
      }
      expect(await openText(answers, ref)).toBe('abcdefg')
      expect(await merge(3, 7)).toBe(true)
      expect(texts((await answers.close(ref)).chunks)).toEqual(['abc', 'defg'])
    })

    it('covers accepted chunks only, and whole segments (R14)', async () => {
      const { answers } = await open()
      const ref = someAnswer()
      await write(answers, ref, five)
      expect(await answers.merge(ref, 1, 0, 6, chunkPacket(ref, 1, 0, 'abcdef'))).toBe(false)
      expect(await answers.merge(ref, 1, 0, 0, chunkPacket(ref, 1, 0, ''))).toBe(false)
      await answers.merge(ref, 1, 0, 4, chunkPacket(ref, 1, 0, 'abcd'))
      expect(await answers.merge(ref, 1, 0, 2, chunkPacket(ref, 1, 0, 'ab'))).toBe(false)
      expect(await openText(answers, ref)).toBe('abcde')
    })

    it('is refused for any attempt but the current one, without a record, and after an end', async () => {
      const { answers } = await open()
      const [ref, unknown, ended] = [someAnswer(), someAnswer(), someAnswer()]
      await write(answers, ref, five)
      await begin(answers, ref, 2)
      await append(answers, ref, 2, 0, 'heir')
      await write(answers, ended, five)
      await answers.end(ended, 1, endPacket(ended, 1))
      for (const attempt of [1, 3]) {
        expect(await answers.merge(ref, attempt, 0, 1, chunkPacket(ref, attempt, 0, 'ghost'))).toBe(false)
      }
      expect(await answers.merge(unknown, 1, 0, 1, chunkPacket(unknown, 1, 0, 'x'))).toBe(false)
      expect(await answers.merge(ended, 1, 0, 1, chunkPacket(ended, 1, 0, 'x'))).toBe(false)
      expect(await openText(answers, ref)).toBe('heir')
    })

    it('makes room when what the chunks carry beside their text filled the answer', async () => {
      const { answers } = await open({ answerBytes: 1_000 })
      const ref = someAnswer()
      await begin(answers, ref)
      let index = 0
      while ((await append(answers, ref, 1, index, `${index}${'.'.repeat(99)}`)) === 'accepted') index += 1
      expect(await answers.merge(ref, 1, 0, index, chunkPacket(ref, 1, 0, 'short'))).toBe(true)
      expect(await append(answers, ref, 1, index, 'more')).toBe('accepted')
      expect(await openText(answers, ref)).toBe('shortmore')
    })
  })
}
