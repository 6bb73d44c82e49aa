import { userId } from '@chatbox/core'
import { expect, it } from 'vitest'
import { openEdge, sizeOf, tokenOf, until, untilEmpty } from './support/open-edge.ts'

it('what an edge holds is as small as before when hundreds came and went, however they went (P10, S5)', {
  timeout: 60_000,
}, async () => {
  const open = await openEdge({ times: { helloMs: 1_500, disabledMs: 20 }, deps: { maxConnections: 3 } })
  const { connections: registered } = open.memory.sizes()
  for (let round = 0; round < 4; round++) {
    const user = (i: number) => `user-${round}-${i}`
    const devices = await Promise.all(Array.from({ length: 40 }, (_, i) => open.device(user(i))))
    const strangers = await Promise.all(Array.from({ length: 10 }, () => open.connect()))
    const wrong = await Promise.all(Array.from({ length: 5 }, () => open.connect()))
    for (const client of wrong) client.send({ type: 'hello', token: 'wrong', deviceId: 'd' })
    const over = await Promise.all(Array.from({ length: 5 }, () => open.connect()))
    for (const [i, client] of over.entries()) {
      client.send({ type: 'hello', token: await tokenOf(user(0)), deviceId: `more-${i}` })
    }
    expect(await sizeOf(open, 'connections')).toBeGreaterThan(40)
    for (const [i, client] of devices.entries()) {
      client.send({ type: 'message.send', clientMessageId: `c-${i}`, text: 'never answered' })
      if (i % 3 === 0) await client.close()
      else if (i % 3 === 1) client.cut()
    }
    await open.fabric.disabled.replace(devices.map((_, i) => userId(user(i))))
    for (const client of [...strangers.slice(0, 5), ...over]) client.cut()
    await Promise.all([...devices.filter((_, i) => i % 3 === 2), ...strangers.slice(5)].map((one) => one.closed()))
    await untilEmpty(open)
    await until(() => open.memory.sizes().connections === registered, 'the registry is as before')
  }
  const tokens = await open.metric('structure_entries', '{structure="edge_tokens"}')
  expect(tokens).toBeLessThanOrEqual(4 * 41)
})
