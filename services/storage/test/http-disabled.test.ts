import { Unavailable } from '@chatbox/core'
import { describe, expect, it } from 'vitest'
import { bench, user } from './fixture.ts'
import { as, refusedWith } from './support/rest.ts'
import { until } from './talk.ts'

const times = { sweepMs: 3_600_000, mirrorLookMs: 20 }

describe('a user who is disabled (R23)', () => {
  it('is refused on every call from then on, and served again when they are not any more', async () => {
    const b = await bench({ times })
    const [mallory, alice] = [await as(b, 'mallory'), await as(b, 'alice')]
    expect((await mallory('GET', '/chat/sessions')).statusCode).toBe(200)
    await b.deps.disabledUsers.set(user('mallory'), true)
    await until(async () => (await mallory('GET', '/chat/sessions')).statusCode === 403, 'mallory is refused')
    expect(refusedWith(await mallory('DELETE', '/chat/me'))).toEqual([403, 'disabled'])
    expect((await alice('GET', '/chat/sessions')).statusCode).toBe(200)
    // A mirror that was lost says nothing: who was disabled stays so.
    b.memory.empty()
    expect(refusedWith(await mallory('GET', '/chat/sessions'))).toEqual([403, 'disabled'])
    await b.deps.disabledUsers.set(user('mallory'), false)
    await until(async () => (await mallory('GET', '/chat/sessions')).statusCode === 200, 'mallory is served')
    await b.close()
  })

  it('is disabled from the start where the database says so', async () => {
    const b = await bench({
      times,
      wrap: (deps) => ({
        ...deps,
        disabledUsers: { ...deps.disabledUsers, list: async () => [user('mallory')] },
      }),
    })
    expect(refusedWith(await (await as(b, 'mallory'))('GET', '/chat/sessions'))).toEqual([403, 'disabled'])
    await b.close()
  })

  it('might be anybody while there is no list: nobody is let in, until there is one', async () => {
    let away = true
    const b = await bench({
      times,
      wrap: (deps) => ({
        ...deps,
        fabric: {
          ...deps.fabric,
          disabled: {
            ...deps.fabric.disabled,
            read: (known) => (away ? Promise.reject(new Unavailable('away')) : deps.fabric.disabled.read(known)),
          },
        },
      }),
    })
    const alice = await as(b, 'alice')
    expect(refusedWith(await alice('GET', '/chat/sessions'))).toEqual([503, 'unavailable'])
    expect(refusedWith(await (await as(b))('GET', `/chat/shared/${'A'.repeat(43)}`))).toEqual([503, 'unavailable'])
    expect((await (await as(b))('GET', '/chat/openapi.json')).statusCode).toBe(200)
    away = false
    await until(async () => (await alice('GET', '/chat/sessions')).statusCode === 200, 'alice is served')
    await b.close()
  })
})
