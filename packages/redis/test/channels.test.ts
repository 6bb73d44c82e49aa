import { Unavailable } from '@chatbox/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type ChannelListener, createChannels } from '../src/connection/channels.ts'
import type { Layout } from '../src/connection/layout.ts'
import type { Node } from '../src/connection/node.ts'

const RETRY_MS = 100

/** A server whose subscriber connection does what the test says. */
function fakeServer() {
  let away = false
  const heard = new Set<string>()
  const asked: string[] = []
  const ear = {
    run: 'run',
    async hear(channel: string) {
      asked.push(channel)
      if (away) throw new Unavailable('away')
      heard.add(channel)
    },
    leave: (channel: string) => void heard.delete(channel),
    heard: () => heard,
    close: () => undefined,
  }
  return {
    asked,
    node: { ear: () => ear, hasEar: true } as unknown as Node,
    isAway(now: boolean) {
      away = now
    },
  }
}

const listener = () => ({ message: vi.fn<ChannelListener['message']>(), gap: vi.fn<ChannelListener['gap']>() })
const settled = () => vi.advanceTimersByTimeAsync(0)

describe('a channel that could not be listened to again', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('tells those who listened that they may have missed something when somebody new is heard', async () => {
    const { node, isAway } = fakeServer()
    const channels = createChannels(() => ({ nodeOf: () => node }) as unknown as Layout, 1_000, RETRY_MS)
    const [before, late] = [listener(), listener()]
    await channels.subscribe('c', before)
    isAway(true)
    channels.up(node)
    await settled()
    expect(before.gap).not.toHaveBeenCalled()
    isAway(false)
    await channels.subscribe('c', late)
    expect(before.gap).toHaveBeenCalledOnce()
    await vi.advanceTimersByTimeAsync(RETRY_MS * 2)
    expect(before.gap).toHaveBeenCalledOnce()
    channels.close()
  })

  it('is tried again until it is heard, and they are told once', async () => {
    const { node, isAway, asked } = fakeServer()
    const channels = createChannels(() => ({ nodeOf: () => node }) as unknown as Layout, 1_000, RETRY_MS)
    const before = listener()
    await channels.subscribe('c', before)
    isAway(true)
    channels.up(node)
    await vi.advanceTimersByTimeAsync(RETRY_MS * 2.5)
    expect(asked).toHaveLength(4)
    expect(before.gap).not.toHaveBeenCalled()
    isAway(false)
    await vi.advanceTimersByTimeAsync(RETRY_MS * 5)
    expect(asked).toHaveLength(5)
    expect(before.gap).toHaveBeenCalledOnce()
    channels.close()
  })

  it('is looked for where it is by then', async () => {
    const [first, second] = [fakeServer(), fakeServer()]
    let where: Node | undefined = first.node
    const nodeOf = () => {
      if (!where) throw new Unavailable('nobody serves it')
      return where
    }
    const channels = createChannels(() => ({ nodeOf }) as unknown as Layout, 1_000, RETRY_MS)
    const before = listener()
    await channels.subscribe('c', before)
    where = undefined
    channels.rearranged()
    await settled()
    where = second.node
    await vi.advanceTimersByTimeAsync(RETRY_MS * 2)
    expect(second.asked).toEqual(['c'])
    expect(before.gap).toHaveBeenCalledOnce()
    channels.message(first.node, 'c', Buffer.from('from before'))
    channels.message(second.node, 'c', Buffer.from('from now'))
    expect(before.message.mock.calls.map(([payload]) => payload.toString())).toEqual(['from now'])
    channels.close()
  })
})
