import { Unavailable, userId } from '@chatbox/core'
import { refusedUpgrade } from '@chatbox/testkit/wire'
import { describe, expect, it } from 'vitest'
import { echo, openEdge, PAGE, tokenOf, until } from './support/open-edge.ts'

const users = (...names: string[]) => names.map(userId)
const SELDOM = { disabledMs: 60_000 }

describe('a disabled user (R23, security 8)', () => {
  it('is refused with an error and 4204, and takes no place of anybody', async () => {
    const { connect, memory, device } = await openEdge({ disabled: ['eve'] })
    const client = await connect()
    client.send({ type: 'hello', requestId: 'r-1', token: await tokenOf('eve'), deviceId: 'd' })
    expect(await client.waitFor('error')).toMatchObject({ code: 'disabled', retryable: false, requestId: 'r-1' })
    expect(await client.closed()).toMatchObject({ code: 4204 })
    expect(memory.sizes()).toMatchObject({ connections: 0, subscriptions: 0 })
    await echo(await device('ada'))
  })

  it('loses all sockets on every edge when the list says so; others stay', async () => {
    const here = await openEdge({ times: SELDOM })
    const there = await openEdge({ times: SELDOM, deps: { fabric: here.fabric } })
    const [one, two, other] = [await here.device('eve'), await there.device('eve'), await there.device('ada')]
    await here.fabric.disabled.replace(users('eve'))
    for (const client of [one, two]) {
      expect(await client.waitFor('error')).toMatchObject({ code: 'disabled' })
      expect(await client.closed()).toMatchObject({ code: 4204 })
    }
    await echo(other)
    expect(await here.metric('edge_closed_total', '{reason="disabled"}')).toBe(1)
    await until(() => here.memory.sizes().connections === 1, 'their rows are gone')
  })

  it('loses them also when the signal was lost', async () => {
    const open = await openEdge({
      times: { disabledMs: 20 },
      before: (tamper) => tamper.on('disabled', 'onChange', async () => async () => undefined),
    })
    const client = await open.device('eve')
    await open.fabric.disabled.replace(users('eve'))
    expect(await client.closed()).toMatchObject({ code: 4204 })
  })

  it('may come back when the list says so', async () => {
    const open = await openEdge({ disabled: ['eve'], times: { disabledMs: 20 } })
    await open.fabric.disabled.replace([])
    await until(async () => {
      const client = await open.connect()
      client.send({ type: 'hello', token: await tokenOf('eve'), deviceId: 'd' })
      return Promise.race([client.waitFor('ready').then(() => true), client.closed().then(() => false)])
    }, 'she is in')
  })

  it.each([
    ['registry', 'register'],
    ['bus', 'subscribe'],
  ] as const)('is caught who became one while %s.%s was under way', async (port, method) => {
    const open = await openEdge({ times: SELDOM })
    const step = open.tamper.stop(port, method)
    const client = await open.connect()
    client.send({ type: 'hello', token: await tokenOf('eve'), deviceId: 'd' })
    await step.reached
    await open.fabric.disabled.replace(users('eve'))
    await echoOf(open)
    step.goOn()
    expect(await client.closed()).toMatchObject({ code: 4204 })
    expect(client.frames.some(({ type }) => type === 'ready')).toBe(false)
  })
})

/** What was signalled before has been read by the time that somebody else's hello is through. */
async function echoOf(open: Awaited<ReturnType<typeof openEdge>>): Promise<void> {
  const client = await open.connect()
  client.send({ type: 'hello', token: await tokenOf('eve'), deviceId: 'other' })
  await client.closed()
}

describe('the list of disabled users', () => {
  it('must have been read once before anybody comes in', async () => {
    const open = await openEdge({ disabled: undefined, times: { disabledMs: 20 } })
    await expect(open.edge.check.ping(AbortSignal.timeout(1_000))).rejects.toThrow('no list of disabled users')
    expect(await refusedUpgrade(open.url, { origin: PAGE })).toBe(503)
    await open.fabric.disabled.replace(users('eve'))
    await until(
      () =>
        open.edge.check
          .ping(AbortSignal.timeout(1_000))
          .then(() => true)
          .catch(() => false),
      'it is ready',
    )
    await echo(await open.device('ada'))
  })

  it('holds on when the store has lost it, or is away', async () => {
    const open = await openEdge({ disabled: ['eve'], times: { disabledMs: 10, renewMs: 10 } })
    const ada = await open.device('ada')
    let reads = 0
    open.memory.empty('realtime')
    const heal = open.tamper.on('disabled', 'read', (proceed) => {
      reads += 1
      return reads % 2 === 0 ? Promise.reject(new Unavailable('away')) : proceed()
    })
    await until(() => reads > 4, 'it was looked at')
    heal()
    const client = await open.connect()
    client.send({ type: 'hello', token: await tokenOf('eve'), deviceId: 'd' })
    expect(await client.closed()).toMatchObject({ code: 4204 })
    await echo(ada)
    await open.edge.check.ping(AbortSignal.timeout(1_000))
    expect(open.log.filter((line) => line.includes('could not be read'))).not.toHaveLength(0)
    open.tamper.on('disabled', 'read', () => Promise.reject(new Unavailable('away')))
    await until(async () => (await open.metric('edge_disabled_list_age_seconds')) > 0, 'its age shows')
  })
})
