import { Refusal } from '@chatbox/core'
import { createVerifier, signToken } from '@chatbox/runtime'
import { describe, expect, it } from 'vitest'
import { echo, openEdge, SECRET, tokenOf } from './support/open-edge.ts'

/** Ends between one and two seconds from now. */
const short = (user: string) => tokenOf(user, 2_000)

describe('the end of a token (X3)', () => {
  it('closes the connection with 4101, not before', async () => {
    const { connect } = await openEdge()
    const client = await connect()
    const { expiresAt } = await client.hello({ token: await short('ada'), deviceId: 'd-1' })
    await echo(client)
    expect(await client.closed()).toMatchObject({ code: 4101 })
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt)
    expect(Date.now()).toBeLessThan(expiresAt + 1_500)
  })

  it('is postponed by a new token of the same user', async () => {
    const { connect } = await openEdge()
    const client = await connect()
    const { expiresAt } = await client.hello({ token: await short('ada'), deviceId: 'd-1' })
    client.send({ type: 'auth.refresh', requestId: 'r-1', token: await tokenOf('ada') })
    expect(await client.waitFor('pong')).toMatchObject({ requestId: 'r-1' })
    while (Date.now() < expiresAt + 300) await echo(client)
    expect(client.end).toBeUndefined()
  })

  it('is not postponed by any other token, and the connection lives until then', async () => {
    const { connect } = await openEdge()
    const client = await connect()
    await client.hello({ token: await short('ada'), deviceId: 'd-1' })
    const others = [
      ['another-user', 'forbidden', await tokenOf('bob')],
      ['an-admin', 'forbidden', await signToken({ secret: SECRET, userId: 'root', roles: ['admin'], ttlMs: 60_000 })],
      ['nonsense', 'unauthorized', 'nonsense'],
      ['another-secret', 'unauthorized', await signToken({ secret: 'x'.repeat(40), userId: 'ada', ttlMs: 60_000 })],
    ] as const
    for (const [requestId, code, token] of others) {
      client.send({ type: 'auth.refresh', requestId, token })
      expect(await client.waitFor('error', (error) => error.requestId === requestId)).toMatchObject({ code })
      await echo(client)
    }
    expect(await client.closed()).toMatchObject({ code: 4101 })
  })

  it('further away than a timer reaches is not now', async () => {
    const { connect } = await openEdge()
    const client = await connect()
    await client.hello({ token: await tokenOf('ada', 40 * 86_400_000), deviceId: 'd-1' })
    await echo(client)
    await echo(client)
    expect(client.end).toBeUndefined()
  })
})

describe('new tokens on an open connection', () => {
  const refresh = (requestId: string, token: string) => ({ type: 'auth.refresh', requestId, token })

  /** A verifier that can be held up, and says how often it was asked. */
  function watched() {
    const verifier = createVerifier({ secret: SECRET })
    let held = Promise.resolve()
    let asked = 0
    return {
      asked: () => asked,
      hold() {
        let goOn = (): void => undefined
        held = new Promise((resolve) => {
          goOn = resolve
        })
        return goOn
      },
      verify: {
        size: () => 0,
        async verify(token: string) {
          asked += 1
          await held
          if (token === 'keys away') throw new Refusal('unavailable')
          return verifier.verify(token)
        },
      },
    }
  }

  it('are looked at one at a time; the others may ask again', async () => {
    const watch = watched()
    const { device } = await openEdge({ deps: { verify: watch.verify } })
    const client = await device('ada')
    const before = watch.asked()
    const goOn = watch.hold()
    for (let i = 0; i < 100; i += 1) client.send(refresh(`r-${i}`, await tokenOf('ada')))
    const last = await client.waitFor('error', ({ requestId }) => requestId === 'r-99')
    expect(last).toMatchObject({ code: 'rate_limited', retryable: true, retryAfterMs: 1_000 })
    expect(watch.asked() - before).toBe(1)
    goOn()
    await client.waitFor('pong', ({ requestId }) => requestId === 'r-0')
    client.send(refresh('again', await tokenOf('ada')))
    await client.waitFor('pong', ({ requestId }) => requestId === 'again')
    expect(client.frames.filter(({ type }) => type === 'error')).toHaveLength(99)
  })

  it('that are refused take from the budget of the user, and none is looked at once that is used up', async () => {
    const watch = watched()
    const { device } = await openEdge({
      deps: { verify: watch.verify },
      memory: { limits: { requests: { points: 2, perMs: 60_000 } } },
    })
    const client = await device('ada')
    const answer = async (requestId: string, token: string) => {
      client.send(refresh(requestId, token))
      return client.waitFor('error', (error) => error.requestId === requestId)
    }
    // Keys that are away, and tokens that are good, are no fault of anybody.
    for (let i = 0; i < 3; i += 1) expect(await answer(`away-${i}`, 'keys away')).toMatchObject({ code: 'unavailable' })
    client.send(refresh('good', await tokenOf('ada')))
    await client.waitFor('pong')
    const before = watch.asked()
    for (const [id, token] of [
      ['1', 'nonsense'],
      ['2', await tokenOf('bob')],
      ['3', 'nonsense'],
    ] as const)
      expect(await answer(id, token)).toMatchObject({ code: id === '2' ? 'forbidden' : 'unauthorized' })
    const refused = await answer('4', await tokenOf('ada'))
    expect(refused.code).toBe('rate_limited')
    expect(refused.retryAfterMs).toBeGreaterThan(1_000)
    expect(refused.retryAfterMs).toBeLessThanOrEqual(60_000)
    expect(watch.asked() - before).toBe(3)
    await echo(client)
    // Another user has a budget of their own.
    const bob = await device('bob')
    bob.send(refresh('r', await tokenOf('bob')))
    await bob.waitFor('pong')
  })

  it('that are refused are told so even if they cannot be counted', async () => {
    const { device, tamper } = await openEdge()
    const client = await device('ada')
    tamper.on('limiter', 'consume', () => Promise.reject(new Error('the limiter fell over')))
    for (const requestId of ['1', '2']) {
      client.send(refresh(requestId, 'nonsense'))
      expect(await client.waitFor('error', (error) => error.requestId === requestId)).toMatchObject({
        code: 'unauthorized',
      })
    }
  })
})
