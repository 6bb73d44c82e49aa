import { describe, expect, it } from 'vitest'
import { opener } from '../adapter.ts'
import type { BuildJobs } from '../jobs.ts'
import { eventually } from '../recorder.ts'
import { someJob, worker } from './handling.ts'

export function consumeContract(build: BuildJobs): void {
  describe('consume', () => {
    const open = opener(build)

    it('never runs a handler inside the stack of whoever enqueues', async () => {
      const { jobs } = await open()
      const one = await worker(jobs)
      const enqueuing = jobs.enqueue(someJob())
      expect(one.handled).toEqual([])
      await enqueuing
      await eventually(() => expect(one.handled).toHaveLength(1))
      one.finishAll()
    })

    it('works on as many at once as it may, and takes the next when one ends', async () => {
      const { jobs } = await open()
      const one = await worker(jobs, 3)
      const all = Array.from({ length: 8 }, () => someJob())
      for (const job of all) await jobs.enqueue(job)
      await eventually(() => expect(one.handled).toHaveLength(3))
      expect(await jobs.depth()).toEqual({ waiting: 5, active: 3 })
      one.handled[1]?.finish()
      await eventually(() => expect(one.handled).toHaveLength(4))
      while (one.handled.length < 8) {
        one.finishAll()
        const before = one.handled.length
        await eventually(() => expect(one.handled.length).toBeGreaterThan(before))
        expect(one.handled.filter(({ ended }) => !ended).length).toBeLessThanOrEqual(3)
      }
      one.finishAll()
      expect(new Set(one.handled.map(({ job }) => job.answerId))).toEqual(new Set(all.map(({ answerId }) => answerId)))
      await eventually(async () => expect(await jobs.depth()).toEqual({ waiting: 0, active: 0 }))
    })

    it('shares the jobs among several workers, each job to one of them', async () => {
      const { jobs } = await open()
      const workers = [await worker(jobs, 2), await worker(jobs, 2), await worker(jobs, 2)]
      for (let i = 0; i < 6; i += 1) await jobs.enqueue(someJob())
      await eventually(() => expect(workers.map(({ handled }) => handled.length)).toEqual([2, 2, 2]))
      const taken = workers.flatMap(({ handled }) => handled.map(({ job }) => job.answerId))
      expect(new Set(taken).size).toBe(6)
      for (const one of workers) one.finishAll()
    })

    it('stopped takes no more, and resolves when what was at work has ended; others go on', async () => {
      const { jobs } = await open()
      const stopping = await worker(jobs, 1)
      const [atWork, next] = [someJob(), someJob()]
      await jobs.enqueue(atWork)
      await eventually(() => expect(stopping.handled).toHaveLength(1))

      let stopped = false
      const stop = stopping.consumer.stop().then(() => {
        stopped = true
      })
      await jobs.enqueue(next)
      const other = await worker(jobs, 1)
      await eventually(() => expect(other.of(next)).toBeDefined())
      expect(stopped).toBe(false)
      expect(stopping.of(atWork)?.signal.aborted).toBe(false)
      stopping.finishAll()
      await stop
      expect(await jobs.exists([atWork])).toEqual([false])
      expect(stopping.handled).toHaveLength(1)
      await stopping.consumer.stop()
      other.finishAll()
    })

    it('leaves what waits to whoever comes next, when the last worker stops', async () => {
      const { jobs } = await open()
      const one = await worker(jobs, 1)
      await one.consumer.stop()
      const job = someJob()
      await jobs.enqueue(job)
      expect(await jobs.depth()).toEqual({ waiting: 1, active: 0 })
      const next = await worker(jobs, 1)
      await eventually(() => expect(next.of(job)).toBeDefined())
      expect(one.handled).toEqual([])
      next.finishAll()
    })
  })
}
