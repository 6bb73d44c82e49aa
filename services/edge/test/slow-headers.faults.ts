import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { echo, openEdge, until } from './support/open-edge.ts'

const STRANGERS = 200

/** A request whose headers never end. */
async function dribbler(url: string): Promise<{ socket: Socket; received: () => string; ended: () => boolean }> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let [received, ended] = ['', false]
  socket.on('data', (data) => {
    received += data
  })
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      ended = true
    })
  }
  await once(socket, 'connect')
  socket.write('GET /chat/ws HTTP/1.1\r\nHost: h\r\nX-Slow: ')
  return { socket, received: () => received, ended: () => ended }
}

it('headers that come a byte at a time keep no neighbour waiting, and are not waited for (security 17)', {
  timeout: 60_000,
}, async () => {
  const open = await openEdge({ keepLog: false })
  const neighbour = await open.device('ada')
  const slow = await Promise.all(Array.from({ length: STRANGERS }, () => dribbler(open.url)))
  const from = Date.now()
  let slowest = 0
  await until(
    async () => {
      for (const { socket, ended } of slow) if (!ended()) socket.write('x')
      const asked = Date.now()
      await echo(neighbour)
      slowest = Math.max(slowest, Date.now() - asked)
      await new Promise((resolve) => setTimeout(resolve, 50))
      return slow.every(({ ended }) => ended())
    },
    'all of them were ended',
    30_000,
  )
  // They were ended for their slowness, not for anything that they said.
  expect(Date.now() - from).toBeGreaterThan(3_000)
  expect(slowest).toBeLessThan(2_000)
  expect(slow.filter(({ received }) => received().includes(' 101 '))).toEqual([])
  await echo(await open.device('bob'))
})

it('headers without end are refused where they become too many, and cost nothing more (security 17)', async () => {
  const open = await openEdge()
  const endless = await dribbler(open.url)
  await until(() => {
    if (!endless.ended()) endless.socket.write('x'.repeat(1_000))
    return endless.ended()
  }, 'it was ended')
  expect(endless.received()).toMatch(/^HTTP\/1\.1 431 /)
  await echo(await open.device('ada'))
})
