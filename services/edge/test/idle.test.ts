import { expect, it } from 'vitest'
import { echo, openEdge, tokenOf, untilEmpty } from './support/open-edge.ts'

it('a peer that answers no ping is gone after the idle time, one that does stays', { timeout: 60_000 }, async () => {
  // The transport counts in whole seconds, from eight.
  const open = await openEdge({ times: { idleMs: 8_000 } })
  const [alive, half] = [await open.device('ada'), await open.connect({ autoPong: false })]
  await half.hello({ token: await tokenOf('bob'), deviceId: 'd-1' })
  const from = Date.now()
  // Longer than the client of these tests waits for anything.
  await new Promise((resolve) => half.socket.once('close', resolve))
  expect(Date.now() - from).toBeGreaterThan(3_000)
  expect(Date.now() - from).toBeLessThan(20_000)
  await echo(alive)
  await alive.close()
  await untilEmpty(open)
})
