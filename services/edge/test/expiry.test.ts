import { signToken } from '@chatbox/runtime'
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
