import { EventEmitter, once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { createMetrics, createOps, type LifecycleOptions, lifecycle, type Part } from '../../src/index.ts'
import { readableLogger } from '../support.ts'

function stage(options: Partial<LifecycleOptions> = {}) {
  const log = readableLogger()
  const steps: string[] = []
  const events = new EventEmitter()
  const part = (name: string, behaviour: Partial<Part> = {}): Part => ({
    name,
    start: async () => void steps.push(`start ${name}`),
    stop: async () => void steps.push(`stop ${name}`),
    ...behaviour,
  })
  const build = (parts: Part[]) => lifecycle(parts, { logger: log.logger, deadlineMs: 5000, events, ...options })
  return { log, steps, events, part, build }
}

const never = () => new Promise<never>(() => undefined)
const fail = (message: string) => async () => {
  throw new Error(message)
}
/** Resolves at the deadline, as a well-behaved part does. */
const untilDeadline = async (deadline: AbortSignal) => {
  if (!deadline.aborted) await once(deadline, 'abort')
}

describe('a lifecycle', () => {
  it('starts in order, each part when the one before is up, and stops in reverse', async () => {
    const { build, part, steps } = stage()
    const slow = part('a', {
      start: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        steps.push('start a')
      },
    })
    const { start, stop } = build([slow, part('b'), part('c')])
    await start()
    expect(await stop()).toBe(0)
    expect(steps).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a'])
  })

  it('tells a part that waits for somebody else that a stop has begun', async () => {
    const { build, part, steps } = stage()
    const waiting = part('b', {
      start: async (stopping) => {
        steps.push('b waits')
        if (stopping && !stopping.aborted) await once(stopping, 'abort')
      },
    })
    const { start, stop } = build([part('a'), waiting, part('c')])
    const started = start()
    await expect.poll(() => steps).toContain('b waits')
    expect(await stop()).toBe(0)
    await started
    expect(steps).toEqual(['start a', 'b waits', 'stop b', 'stop a'])
  })

  it('logs that start-up is complete, and where it listens', async () => {
    const { build, part, log } = stage()
    await build([part('edge', { addresses: () => ['http://127.0.0.1:8080'] }), part('worker')]).start()
    expect(log.lines()).toMatchObject([
      { msg: 'started', part: 'edge' },
      { msg: 'listening', part: 'edge', address: 'http://127.0.0.1:8080' },
      { msg: 'started', part: 'worker' },
      { msg: 'start-up complete', parts: ['edge', 'worker'] },
    ])
  })

  it('stops once, however often it is asked', async () => {
    const { build, part, steps } = stage()
    const { start, stop } = build([part('a')])
    await start()
    const first = stop()
    expect(stop()).toBe(first)
    await first
    expect(stop()).toBe(first)
    expect(steps).toEqual(['start a', 'stop a'])
  })

  it('stops what was started when a part fails to start, and tells why', async () => {
    const { build, part, steps, log } = stage()
    const { start, stop } = build([part('a'), part('b', { start: fail('port in use') }), part('c')])
    await expect(start()).rejects.toThrow('port in use')
    expect(steps).toEqual(['start a', 'stop a'])
    expect(await stop()).toBe(1)
    expect(log.lines()).toContainEqual(expect.objectContaining({ level: 'fatal', part: 'b', msg: 'failed to start' }))
  })

  it('waits for no load balancer where the start failed, because none has sent anybody', async () => {
    const { build, part, log } = stage({ drainMs: 600_000, deadlineMs: 700_000 })
    await expect(build([part('a'), part('b', { start: fail('port in use') })]).start()).rejects.toThrow('port in use')
    expect(log.lines()).toContainEqual(expect.objectContaining({ msg: 'stopped', part: 'a' }))
  })

  it('tells parts when all are up, and when a stop begins, before any stops', async () => {
    const { build, part, steps } = stage()
    const told = (name: string) =>
      part(name, { ready: () => void steps.push(`ready ${name}`), drain: () => void steps.push(`drain ${name}`) })
    const { start, stop } = build([told('a'), told('b')])
    await start()
    await stop()
    expect(steps).toEqual(['start a', 'start b', 'ready a', 'ready b', 'drain a', 'drain b', 'stop b', 'stop a'])
  })

  it('makes its ops part ready and unready, with time for load balancers to notice', async () => {
    const ops = createOps({ metrics: createMetrics() })
    const { build, part, steps } = stage({ drainMs: 100 })
    const readiness = async () => JSON.parse((await ops.handle('/chat/readyz'))?.body ?? '').status
    const { start, stop } = build([ops, part('edge')])
    await start()
    expect(await readiness()).toBe('ready')
    const begun = performance.now()
    const stopping = stop()
    expect(await readiness()).toBe('draining')
    expect(steps).toEqual(['start edge'])
    await stopping
    expect(performance.now() - begun).toBeGreaterThan(90)
    expect(steps).toEqual(['start edge', 'stop edge'])
  })

  it('goes on stopping when a part fails to, and ends with 1', async () => {
    const { build, part, steps, log } = stage()
    const sync = part('c', {
      stop: () => {
        throw new Error('at once')
      },
    })
    const { start, stop } = build([part('a'), part('b', { stop: fail('later') }), sync])
    await start()
    expect(await stop()).toBe(1)
    expect(steps.at(-1)).toBe('stop a')
    expect(log.lines().filter(({ msg }) => msg === 'failed to stop')).toHaveLength(2)
  })
})

describe('the deadline', () => {
  it('is told to the part that is stopping, forces it, and leaves the others their turn', async () => {
    const { build, part, steps, log } = stage({ deadlineMs: 50 })
    const { start, stop } = build([part('database'), part('worker', { stop: untilDeadline })])
    await start()
    expect(await stop()).toBe(1)
    expect(steps).toEqual(['start database', 'start worker', 'stop database'])
    expect(log.lines().filter(({ msg }) => msg === 'forced to stop')).toMatchObject([
      { level: 'error', part: 'worker' },
    ])
  })

  it('holds for parts that ignore it', async () => {
    const { build, part, log } = stage({ deadlineMs: 50, graceMs: 50 })
    const { start, stop } = build([part('a', { stop: never }), part('b', { stop: never })])
    await start()
    const begun = performance.now()
    expect(await stop()).toBe(1)
    expect(performance.now() - begun).toBeLessThan(1000)
    expect(
      log
        .lines()
        .filter(({ msg }) => msg === 'forced to stop')
        .map(({ part }) => part),
    ).toEqual(['b', 'a'])
  })

  it('is not waited for when everything has stopped', async () => {
    const { build, part } = stage({ deadlineMs: 60_000 })
    const { start, stop } = build([part('a')])
    await start()
    const begun = performance.now()
    expect(await stop()).toBe(0)
    expect(performance.now() - begun).toBeLessThan(1000)
  })

  it('also holds while a part is starting that never ends', async () => {
    const { build, part, steps } = stage({ deadlineMs: 50, graceMs: 50 })
    const { start, stop } = build([part('a'), part('b', { start: never }), part('c')])
    void start()
    await expect.poll(() => steps).toEqual(['start a'])
    expect(await stop()).toBe(1)
    expect(steps).toEqual(['start a', 'stop a'])
  })
})

describe('run', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('stops at %s and resolves with 0', async (signal) => {
    const told: string[] = []
    const { build, part, steps, events } = stage({ onSignal: (name) => told.push(name) })
    const running = build([part('a', { ready: () => void events.emit(signal, signal) })]).run()
    expect(await running).toBe(0)
    expect(steps).toEqual(['start a', 'stop a'])
    expect(told).toEqual([signal])
    expect(events.eventNames()).toEqual([])
  })

  it('does not start what is left when a signal comes during start-up', async () => {
    const { build, part, steps, events } = stage()
    const interrupted = part('b', {
      start: async () => {
        events.emit('SIGTERM', 'SIGTERM')
        steps.push('start b')
      },
    })
    expect(await build([part('a'), interrupted, part('c')]).run()).toBe(0)
    expect(steps).toEqual(['start a', 'start b', 'stop b', 'stop a'])
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ])('resolves at once at a second signal (%s: %d)', async (signal, exitCode) => {
    const { build, part, events } = stage({ deadlineMs: 60_000 })
    const hanging = part('a', {
      ready: () => void events.emit('SIGTERM', 'SIGTERM'),
      stop: () => {
        setImmediate(() => events.emit(signal, signal))
        return never()
      },
    })
    expect(await build([hanging]).run()).toBe(exitCode)
  })

  it('resolves with 1 when a part fails to start', async () => {
    const { build, part } = stage()
    expect(await build([part('a', { start: fail('no') })]).run()).toBe(1)
  })

  it.each(['uncaughtException', 'unhandledRejection'])('logs an %s, stops, and resolves with 1', async (event) => {
    const { build, part, steps, events, log } = stage()
    expect(await build([part('a', { ready: () => void events.emit(event, new Error('a bug')) })]).run()).toBe(1)
    expect(steps).toEqual(['start a', 'stop a'])
    expect(log.lines()).toContainEqual(expect.objectContaining({ level: 'fatal', msg: 'cannot go on' }))
  })

  it('resolves with 1 when a part says that it cannot go on', async () => {
    const { build, part } = stage()
    const process = build([part('a')])
    const running = process.run()
    await process.start()
    await process.fail(new Error('lost its socket'))
    expect(await running).toBe(1)
  })
})
