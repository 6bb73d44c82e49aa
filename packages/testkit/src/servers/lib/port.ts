import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { ServerFailed } from './server-process.ts'

/** Below the range that systems hand out for outgoing connections, so that only another test can be in the way. */
const FROM = 12_000
const TO = 32_000

/** A port of 127.0.0.1 that nobody listens on, and not one that is kept for somebody. */
export async function freePort(kept?: number): Promise<number> {
  for (;;) {
    const port = randomInt(FROM, TO)
    if (port === kept) continue
    const probe = createServer()
    const taken = new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(true))
      probe.listen(port, '127.0.0.1', () => resolve(false))
    })
    if (await taken) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
}

/** Starts a server on a port of its own, and on another one where somebody was faster. */
export async function onFreePort<T>(start: (port: number) => Promise<T>, kept?: number): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await start(await freePort(kept))
    } catch (error) {
      if (attempt === 5 || !(error instanceof ServerFailed) || !error.portTaken) throw error
    }
  }
}
