import { setTimeout as pause } from 'node:timers/promises'
import { answerId, type Job, type Jobs, sessionId, Unavailable } from '@chatbox/core'
import { defaultClocks } from '@chatbox/redis'
import { startWire } from '@chatbox/testkit/network'
import { available, startRedisCluster, startRedisSentinel } from '@chatbox/testkit/servers'
import { describe, expect, it } from 'vitest'
import { CLOCKS, COMMAND_MS, signalTo, stand } from './support/stand.ts'

const there = await available('redis')

let made = 0
const someJob = (): Job => {
  made += 1
  return { sid: sessionId(`session-${made}`), answerId: answerId(`answer-${made}`), n: 1 }
}
const keyOf = ({ answerId, n }: Job) => `{chatbox}:answers:${answerId}-${n}`
const soon = { timeout: 10_000 }

const taken = (jobs: Jobs, job: Job): Promise<boolean> =>
  jobs.enqueue(job).then(
    () => true,
    () => false,
  )

/** A worker whose jobs end when the test says so. */
async function handling(jobs: Jobs, concurrency = 2) {
  const handled: { job: Job; signal: AbortSignal; finish(): void }[] = []
  const consumer = await jobs.consume(
    (job, signal) => new Promise((finish) => void handled.push({ job, signal, finish })),
    { concurrency },
  )
  return { handled, consumer }
}

/** A worker whose jobs end at once. */
async function quick(jobs: Jobs) {
  const done: string[] = []
  await jobs.consume(async ({ answerId }) => void done.push(answerId), { concurrency: 5 })
  return done
}

describe.skipIf(!there)('jobs over a Redis that fails', () => {
  const { server, fabricAt, admin, later } = stand()

  it('are refused in time while Redis hangs, and taken and done when it goes on, without a restart (fault 10)', async () => {
    const redis = await server()
    const { jobs } = await fabricAt(redis.url)
    const done = await quick(jobs)
    const [before, after] = [someJob(), someJob()]
    await jobs.enqueue(before)
    await expect.poll(() => done).toEqual([before.answerId])
    signalTo(redis, 'SIGSTOP')
    for (let i = 0; i < 20; i += 1) {
      const from = performance.now()
      await expect(jobs.enqueue(someJob())).rejects.toBeInstanceOf(Unavailable)
      await expect(jobs.drop(before)).rejects.toBeInstanceOf(Unavailable)
      expect(performance.now() - from).toBeLessThan(COMMAND_MS * 4)
    }
    await pause(CLOCKS.jobLockMs * 2)
    signalTo(redis, 'SIGCONT')
    await expect.poll(() => taken(jobs, after), soon).toBe(true)
    await expect.poll(() => done, soon).toContain(after.answerId)
    await expect.poll(() => jobs.depth(), soon).toEqual({ waiting: 0, active: 0 })
  })

  it('are refused in time while Redis is down; workers that wait take those that come afterwards (fault 8)', async () => {
    let redis = await server()
    const { jobs } = await fabricAt(redis.url)
    const done = await quick(jobs)
    await jobs.enqueue(someJob())
    await expect.poll(() => done.length).toBe(1)
    for (let round = 2; round <= 3; round += 1) {
      await redis.kill()
      await expect(jobs.enqueue(someJob())).rejects.toBeInstanceOf(Unavailable)
      const { port, dir } = redis
      redis = await server({ port, dir })
      const job = someJob()
      await expect.poll(() => taken(jobs, job), soon).toBe(true)
      await expect.poll(() => done, soon).toContain(job.answerId)
    }
  })

  it('of a worker that the network cut off come to another; the first is told when it is back, and ends nothing (fault 18)', async () => {
    const redis = await server()
    const wire = await startWire(redis.port)
    later(() => wire.close())
    const [cutOff, other] = [await fabricAt(`redis://127.0.0.1:${wire.port}`), await fabricAt(redis.url)]
    const ghost = await handling(cutOff.jobs)
    const job = someJob()
    await other.jobs.enqueue(job)
    await expect.poll(() => ghost.handled.length, soon).toBe(1)
    const heir = await handling(other.jobs)
    wire.freeze()
    const from = performance.now()
    await expect.poll(() => heir.handled.length, soon).toBe(1)
    expect(defaultClocks.jobLockMs + 2 * defaultClocks.jobStallMs + 1_000).toBeLessThanOrEqual(15_000)
    expect(performance.now() - from).toBeLessThan(CLOCKS.jobLockMs + 2 * CLOCKS.jobStallMs + 1_500)
    expect(ghost.handled[0]?.signal.aborted).toBe(false)
    wire.thaw()
    await expect.poll(() => ghost.handled[0]?.signal.aborted, soon).toBe(true)
    ghost.handled[0]?.finish()
    await pause(CLOCKS.jobLockMs)
    expect(await other.jobs.exists([job])).toEqual([true])
    expect(heir.handled[0]?.signal.aborted).toBe(false)
    heir.handled[0]?.finish()
    await expect.poll(() => other.jobs.exists([job]), soon).toEqual([false])
  })

  it('that are lost and come to the same worker are held by it, also when the first of the two has ended', async () => {
    const redis = await server()
    const { jobs } = await fabricAt(redis.url)
    const worker = await handling(jobs)
    const job = someJob()
    await jobs.enqueue(job)
    await expect.poll(() => worker.handled.length).toBe(1)
    await admin(redis).del(`${keyOf(job)}:lock`)
    await expect.poll(() => worker.handled.length, soon).toBe(2)
    const [ghost, heir] = worker.handled
    expect([ghost?.signal.aborted, heir?.signal.aborted]).toEqual([true, false])
    ghost?.finish()
    await pause(CLOCKS.jobLockMs + 3 * CLOCKS.jobStallMs)
    expect(worker.handled).toHaveLength(2)
    expect(heir?.signal.aborted).toBe(false)
    heir?.finish()
    await expect.poll(() => jobs.exists([job])).toEqual([false])
  })

  it('that a full Redis does not give out are asked for now and then, and done when it has room (fault 12)', async () => {
    const redis = await server({ args: ['--maxmemory-policy', 'noeviction'] })
    const faults: unknown[] = []
    const { jobs } = await fabricAt(redis.url, { onJobFault: (fault) => faults.push(fault) })
    const job = someJob()
    await jobs.enqueue(job)
    await admin(redis).config('SET', 'maxmemory', '1')
    await expect(jobs.enqueue(someJob())).rejects.toBeInstanceOf(Unavailable)
    const done = await quick(jobs)
    await expect.poll(() => faults.length).toBeGreaterThan(3)
    const before = faults.length
    await pause(1_000)
    expect(faults.length - before).toBeLessThan((2 * 1_000) / CLOCKS.retryMs)
    await admin(redis).config('SET', 'maxmemory', '0')
    await expect.poll(() => done, soon).toEqual([job.answerId])
  })

  it('of a worker that stops while Redis is away end, and so does the stop', async () => {
    const redis = await server()
    const { jobs } = await fabricAt(redis.url)
    const worker = await handling(jobs)
    await jobs.enqueue(someJob())
    await expect.poll(() => worker.handled.length).toBe(1)
    signalTo(redis, 'SIGSTOP')
    later(() => signalTo(redis, 'SIGCONT'))
    let stopped = false
    const stop = worker.consumer.stop().then(() => {
      stopped = true
    })
    await pause(COMMAND_MS * 2)
    expect(stopped).toBe(false)
    const from = performance.now()
    worker.handled[0]?.finish()
    await stop
    expect(performance.now() - from).toBeLessThan(COMMAND_MS * 3)
  })

  it('are done by a worker that waited while a whole cluster was killed and came back', async () => {
    const cluster = await startRedisCluster()
    later(() => cluster.stop())
    const { jobs } = await fabricAt(cluster.url)
    const done = await quick(jobs)
    for (let round = 0; round < 5; round += 1) {
      const job = someJob()
      await expect.poll(() => taken(jobs, job), soon).toBe(true)
      await expect.poll(() => done, soon).toContain(job.answerId)
      await cluster.restart()
    }
  }, 60_000)

  it('go on with the replica that takes over from a master (fault 9)', async () => {
    const sentinel = await startRedisSentinel()
    later(() => sentinel.stop())
    const { jobs } = await fabricAt(sentinel.url)
    const done = await quick(jobs)
    await jobs.enqueue(someJob())
    await expect.poll(() => done.length, soon).toBe(1)
    await sentinel.master.kill()
    await sentinel.failedOver(sentinel.master)
    const job = someJob()
    await expect.poll(() => taken(jobs, job), { timeout: 15_000 }).toBe(true)
    await expect.poll(() => done, soon).toContain(job.answerId)
  })
})

describe.skipIf(!there)('jobs on Redis', () => {
  const { server, fabricAt, admin } = stand()

  it('keep ids alone, and few of the events that nobody reads, also after Redis lost everything', async () => {
    const redis = await server()
    // Five hundred at once take their time on a busy machine.
    const { jobs } = await fabricAt(redis.url, { clocks: { commandMs: 10_000 } })
    const job = someJob()
    await jobs.enqueue(job)
    const kept = await admin(redis).hgetall(keyOf(job))
    expect(JSON.parse(kept.data ?? '')).toEqual(job)
    for (const again of [false, true]) {
      if (again) {
        await redis.kill()
        const { port, dir } = redis
        await server({ port, dir })
        await expect.poll(() => taken(jobs, job), soon).toBe(true)
      }
      await Promise.all(Array.from({ length: 500 }, () => jobs.enqueue(someJob())))
      expect(await admin(redis).xlen('{chatbox}:answers:events')).toBeLessThan(300)
    }
  })

  it('are put into the queue by an ACL user who may do no more than is needed', async () => {
    const redis = await server()
    await admin(redis).call(
      ...[
        'ACL',
        'SETUSER',
        'chat',
        'on',
        '>secret',
        '~chatbox:*',
        '~{chatbox}:*',
        '&*',
        '+@all',
        '-@dangerous',
        '+info',
      ],
    )
    const { jobs } = await fabricAt(`redis://chat:secret@127.0.0.1:${redis.port}`)
    const done = await quick(jobs)
    const job = someJob()
    await jobs.enqueue(job)
    await expect.poll(() => done, soon).toEqual([job.answerId])
  })

  it('that were on their way to a worker which stops are somebody else’s at once', async () => {
    const redis = await server()
    const [one, two] = [await fabricAt(redis.url), await fabricAt(redis.url)]
    const all = Array.from({ length: 40 }, someJob)
    const done: string[] = []
    for (let i = 0; i < all.length; i += 1) {
      const leaving = await one.jobs.consume(async ({ answerId }) => void done.push(answerId), { concurrency: 1 })
      const adding = two.jobs.enqueue(all[i] ?? someJob())
      if (i % 2) await adding
      await Promise.all([leaving.stop(), adding])
    }
    await two.jobs.consume(async ({ answerId }) => void done.push(answerId), { concurrency: 5 })
    // Well before any hold runs out.
    await expect.poll(() => done.length, { timeout: CLOCKS.jobLockMs / 2 }).toBe(all.length)
    expect(new Set(done).size).toBe(all.length)
  })
})
