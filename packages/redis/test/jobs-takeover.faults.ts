import { fileURLToPath } from 'node:url'
import { answerId, type Job, sessionId } from '@chatbox/core'
import { redisFabric } from '@chatbox/redis'
import { killAll, runNode } from '@chatbox/testkit/process'
import { available, startRedis } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'

const there = await available('redis')
const WORKER = fileURLToPath(new URL('support/stuck-worker.mjs', import.meta.url))
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await killAll()
  for (const clean of cleanups.splice(0).reverse()) await clean()
})

describe.skipIf(!there)('the jobs of a worker that is killed, at real clocks', () => {
  it.each(['SIGKILL', 'SIGSTOP'] as const)('by %s are with another one within 20 s', async (signal) => {
    const redis = await startRedis()
    cleanups.push(() => redis.stop())
    const fabric = redisFabric({ realtimeUrl: redis.url, queueUrl: redis.url })
    cleanups.push(() => fabric.close())
    await fabric.start()
    const jobs = Array.from({ length: 5 }, (_, i): Job => ({ sid: sessionId('s'), answerId: answerId(`a${i}`), n: 1 }))
    const worker = runNode(WORKER, { args: [redis.url] })
    for (const job of jobs) await fabric.jobs.enqueue(job)
    for (const { answerId: id } of jobs) await worker.waitForOutput(new RegExp(`at work: ${id}`))
    const taken = new Map<string, number>()
    await fabric.jobs.consume(
      async (job) => {
        taken.set(job.answerId, performance.now())
      },
      { concurrency: 10 },
    )
    expect(taken.size).toBe(0)
    worker.kill(signal)
    const killed = performance.now()
    await expect.poll(() => taken.size, { timeout: 40_000, interval: 50 }).toBe(jobs.length)
    expect(Math.max(...taken.values()) - killed).toBeLessThan(20_000)
  })
})
