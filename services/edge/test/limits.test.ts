import { requestId } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { flood } from '../src/flood.ts'
import { remembered } from '../src/remembered.ts'
import { requests } from '../src/requests.ts'
import { strangers } from '../src/strangers.ts'

describe('a flood', () => {
  it('is so many within any window, not within one that begins somewhere', () => {
    let now = 0
    const tooMany = flood(3, 100, () => now)
    const at = (time: number) => {
      now = time
      return tooMany()
    }
    expect([at(0), at(90), at(101), at(180)]).toEqual([false, false, false, true])
    expect([at(281), at(300), at(381)]).toEqual([false, false, true])
  })
})

describe('strangers', () => {
  it('are counted per address, and taken off once', () => {
    const door = strangers(2)
    const first = door.arrived('a')
    door.arrived('a')
    door.arrived('b')
    expect([door.full('a'), door.full('b'), door.full('c')]).toEqual([true, false, false])
    first()
    first()
    expect(door.full('a')).toBe(false)
    door.arrived('a')
    expect(door.full('a')).toBe(true)
    expect(door.size).toBe(2)
  })

  it('take no room once they are known', () => {
    const door = strangers(2)
    const known = [door.arrived('a'), door.arrived('a')]
    for (const take of known) take()
    expect(door.size).toBe(0)
  })
})

describe('what is remembered', () => {
  it('is the latest, so many of it', () => {
    const latest = remembered<string, number>(2)
    for (const [key, value] of Object.entries({ a: 1, b: 2 })) latest.set(key, value)
    latest.set('a', 3)
    latest.set('c', 4)
    expect([latest.get('a'), latest.get('b'), latest.get('c')]).toEqual([3, undefined, 4])
  })
})

describe('requests in turn', () => {
  it('go on after one that failed, whose failure its asker alone hears of', async () => {
    const all = requests(1_000, 10)
    const done: string[] = []
    const first = all.inTurn(async () => {
      await new Promise((resolve) => setImmediate(resolve))
      done.push('first')
      throw new Error('it fell over')
    })
    const second = all.inTurn(async () => void done.push('second'))
    await expect(first).rejects.toThrow('it fell over')
    await second
    expect(done).toEqual(['first', 'second'])
  })

  it('hold no timers once nobody is there any more', () => {
    const all = requests(1_000, 10)
    const waiting = all.open(requestId('r'), () => undefined)
    all.clear()
    expect(all.size).toBe(0)
    expect(waiting?.settle()).toBe(false)
  })
})
