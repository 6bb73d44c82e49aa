import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { latest } from '../src/latest.ts'
import { echo, openEdge, until } from './support/open-edge.ts'

const typing = (active: boolean, sid = 's-1') => ({ type: 'typing', sid, active })
const PASSED_OVER = ['edge_frames_passed_over_total', '{type="typing"}'] as const

describe('somebody who types', () => {
  it('is shown to the other devices of the same user, and to nobody else', async () => {
    const { device } = await openEdge()
    const [ada, tablet, bob] = [await device('ada'), await device('ada'), await device('bob')]
    ada.send(typing(true))
    expect(await tablet.waitFor('typing')).toMatchObject({ sid: 's-1', author: 'user', active: true })
    await Promise.all([echo(ada), echo(bob)])
    for (const client of [ada, bob]) expect(client.frames.some(({ type }) => type === 'typing')).toBe(false)
  })

  it('is one thing to do, however often it is said, and what was said last is what is told last', async () => {
    const open = await openEdge({ times: { typingMs: 20 } })
    const [ada, tablet] = [await open.device('ada'), await open.device('ada')]
    let calls = 0
    let atOnce = 0
    let most = 0
    open.tamper.on('bus', 'signal', async (proceed) => {
      calls += 1
      atOnce += 1
      most = Math.max(most, atOnce)
      await proceed()
      atOnce -= 1
    })
    const limiter = open.tamper.stop('limiter', 'consume')
    for (let i = 0; i < 1_000; i += 1) ada.send(typing(i % 2 === 0, `s-${i}`))
    await limiter.reached
    await echo(ada)
    limiter.goOn()
    expect(await tablet.waitFor('typing', ({ sid }) => sid === 's-999')).toMatchObject({ active: false })
    expect(tablet.frames.flatMap((frame) => (frame.type === 'typing' ? [frame.sid] : []))).toEqual(['s-0', 's-999'])
    expect([calls, most]).toEqual([2, 1])
    expect(await open.metric(...PASSED_OVER)).toBe(998)
  })

  it('beyond the budget is told to nobody, and disturbs nobody with an error', async () => {
    const open = await openEdge({
      times: { typingMs: 1 },
      memory: { limits: { requests: { points: 2, perMs: 60_000 } } },
    })
    const [ada, tablet] = [await open.device('ada'), await open.device('ada')]
    for (const n of [1, 2]) {
      ada.send(typing(true, `s-${n}`))
      await tablet.waitFor('typing', ({ sid }) => sid === `s-${n}`)
    }
    ada.send(typing(true, 's-3'))
    await until(async () => (await open.metric(...PASSED_OVER)) === 1, 'it was passed over')
    await Promise.all([echo(ada), echo(tablet)])
    expect(tablet.frames.filter(({ type }) => type === 'typing')).toHaveLength(2)
    expect(ada.frames.filter(({ type }) => type === 'error')).toEqual([])
  })

  it('is passed over while the bus fails, and told again when it does not', async () => {
    const open = await openEdge({ times: { typingMs: 1 } })
    const [ada, tablet] = [await open.device('ada'), await open.device('ada')]
    const heal = open.tamper.on('bus', 'signal', () => Promise.reject(new Error('the bus fell over')))
    ada.send(typing(true))
    await until(async () => (await open.metric(...PASSED_OVER)) === 1, 'it was passed over')
    heal()
    ada.send(typing(false))
    expect(await tablet.waitFor('typing')).toMatchObject({ active: false })
    await echo(ada)
    expect(ada.frames.filter(({ type }) => type === 'error')).toEqual([])
  })
})

describe('the latest of what is said', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('is handed on at once, then after a while, then not any more once it has ended', async () => {
    const handed: number[] = []
    let passedOver = 0
    const hand = async (value: number) => void handed.push(value)
    const said = latest(1_000, hand, () => {
      passedOver += 1
    })
    for (const value of [1, 2, 3]) said.put(value)
    await vi.advanceTimersByTimeAsync(999)
    expect(handed).toEqual([1])
    await vi.advanceTimersByTimeAsync(1)
    expect(handed).toEqual([1, 3])
    said.put(4)
    said.end()
    said.put(5)
    expect(vi.getTimerCount()).toBe(0)
    expect([handed, passedOver]).toEqual([[1, 3], 1])
  })

  it('waits for the one before, however long that takes, and sets no timer after its end', async () => {
    const done: (() => void)[] = []
    const hand = () => new Promise<void>((resolve) => void done.push(resolve))
    const said = latest(1_000, hand, () => undefined)
    said.put(1)
    said.put(2)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(done).toHaveLength(1)
    done[0]?.()
    await vi.advanceTimersByTimeAsync(1_000)
    expect(done).toHaveLength(2)
    said.put(3)
    said.end()
    done[1]?.()
    await vi.advanceTimersByTimeAsync(0)
    expect([done.length, vi.getTimerCount()]).toEqual([2, 0])
  })
})
