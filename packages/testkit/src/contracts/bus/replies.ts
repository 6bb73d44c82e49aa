import { edgeId, type ReplyPacket } from '@chatbox/core'
import { describe, expect, it, vi } from 'vitest'
import { type Build, opener } from '../adapter.ts'
import { eventually } from '../recorder.ts'
import { bytes, text } from '../samples.ts'

export function replyContract(build: Build<'bus'>): void {
  describe('replies', () => {
    const open = opener(build)
    const reply = (body: string): ReplyPacket => ({
      header: { target: `c-${body}` as ReplyPacket['header']['target'], type: 'error' },
      body: bytes(body),
    })

    it('reach the edge that listens under that id, in order, and no other', async () => {
      const { bus } = await open()
      const [here, there] = [edgeId('edge-here'), edgeId('edge-there')]
      const heard: ReplyPacket[] = []
      const elsewhere: ReplyPacket[] = []
      await bus.listen(here, (packet) => heard.push(packet))
      await bus.listen(there, (packet) => elsewhere.push(packet))

      const sending = bus.reply(here, reply('one'))
      expect(heard).toEqual([])
      await sending
      await bus.reply(here, reply('two'))
      await bus.reply(there, reply('last'))

      await eventually(() => expect(elsewhere.map(text)).toEqual(['last']))
      await eventually(() => expect(heard.map(text)).toEqual(['one', 'two']))
      expect(heard[0]?.header).toEqual({ target: 'c-one', type: 'error' })
    })

    it('may have an empty body', async () => {
      const { bus } = await open()
      const heard: ReplyPacket[] = []
      await bus.listen(edgeId('edge'), (packet) => heard.push(packet))
      await bus.reply(edgeId('edge'), reply(''))
      await eventually(() => expect(heard.map(({ body }) => body.length)).toEqual([0]))
    })

    it('to an edge that is not there, or not any more, are harmless', async () => {
      const { bus } = await open()
      const [gone, here] = [edgeId('edge-gone'), edgeId('edge-here')]
      const heard: ReplyPacket[] = []
      const lost: ReplyPacket[] = []
      const unlisten = await bus.listen(gone, (packet) => lost.push(packet))
      await bus.listen(here, (packet) => heard.push(packet))
      await unlisten()
      await unlisten()
      await bus.reply(gone, reply('nobody'))
      await bus.reply(edgeId('edge-never'), reply('nobody'))
      await bus.reply(here, reply('somebody'))
      await eventually(() => expect(heard.map(text)).toEqual(['somebody']))
      expect(lost).toEqual([])
    })

    it('still come when the store has lost everything, and whoever listens is told that some may have been missed', async () => {
      const { bus, empty } = await open()
      const heard: ReplyPacket[] = []
      const [gap, leftBefore] = [vi.fn(), vi.fn()]
      await bus.listen(edgeId('edge'), (packet) => heard.push(packet), gap)
      const leave = await bus.listen(edgeId('edge'), () => undefined, leftBefore)
      await leave()
      await bus.reply(edgeId('edge'), reply('before'))
      await eventually(() => expect(heard.map(text)).toEqual(['before']))
      expect(gap).not.toHaveBeenCalled()
      await empty()
      await eventually(async () => {
        await bus.reply(edgeId('edge'), reply('after'))
        expect(heard.map(text)).toContain('after')
      })
      await eventually(() => expect(gap).toHaveBeenCalled())
      expect(leftBefore).not.toHaveBeenCalled()
    })
  })
}
