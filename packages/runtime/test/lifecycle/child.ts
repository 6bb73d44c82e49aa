import { lifecycle } from '../../src/lifecycle/lifecycle.ts'
import type { Part } from '../../src/lifecycle/part.ts'
import { createLogger } from '../../src/log/logger.ts'

// A whole process for process.test.ts. What its part does when it is stopped is the argument.
const behaviour = process.argv[2]

const logger = createLogger({ service: 'child' })

const part: Part = {
  name: 'part',
  async start() {
    if (behaviour === 'fails') throw new Error('cannot start')
    // Keeps the process alive, as a listening socket would.
    setInterval(() => undefined, 60_000)
  },
  async stop() {
    if (behaviour === 'hangs') await new Promise(() => undefined)
  },
  ready() {
    if (behaviour === 'throws') setImmediate(() => JSON.parse('canary-7f3e'))
    if (behaviour === 'dies') {
      for (let n = 1; n <= 20; n += 1) logger.info(`last words ${n}`)
      process.kill(process.pid, 'SIGKILL')
    }
    if (behaviour === 'rejects') void Promise.reject(new Error('nobody waits'))
  },
}

const deadlineMs = Number(process.argv[3])
process.exit(await lifecycle([part], { logger, deadlineMs, graceMs: 50 }).run())
