import { describe, expect, it } from 'vitest'
import { opener } from '../adapter.ts'
import type { BuildJobs } from '../jobs.ts'
import { eventually } from '../recorder.ts'
import { someJob, worker } from './handling.ts'

export function jobLifeContract(build: BuildJobs): void {
  describe('a job', () => {
    const open = opener(build)

    it('is kept until somebody takes it, and comes whole', async () => {
      const { jobs } = await open()
      const job = someJob(7)
      await jobs.enqueue(job)
      expect(await jobs.exists([job])).toEqual([true])
      expect(await jobs.depth()).toEqual({ waiting: 1, active: 0 })
      const one = await worker(jobs)
      await eventually(() => expect(one.handled.map((handling) => handling.job)).toEqual([job]))
      one.finishAll()
    })

    it('exists while it waits and while it is at work, and no longer', async () => {
      const { jobs } = await open()
      const job = someJob()
      expect(await jobs.exists([job])).toEqual([false])
      const one = await worker(jobs)
      await jobs.enqueue(job)
      await eventually(() => expect(one.handled).toHaveLength(1))
      expect(await jobs.exists([job])).toEqual([true])
      expect(await jobs.depth()).toEqual({ waiting: 0, active: 1 })
      one.finishAll()
      await eventually(async () => expect(await jobs.exists([job])).toEqual([false]))
      expect(await jobs.depth()).toEqual({ waiting: 0, active: 0 })
    })

    it('is asked about with others, in their order; another n is another job', async () => {
      const { jobs } = await open()
      const job = someJob(1)
      const again = { ...job, n: 2 }
      await jobs.enqueue(again)
      expect(await jobs.exists([job, again, someJob()])).toEqual([false, true, false])
      expect(await jobs.exists([])).toEqual([])
    })

    it('that exists is left as it is: enqueued often, at once, waiting or at work, it runs once', async () => {
      const { jobs } = await open()
      const [job, marker] = [someJob(), someJob()]
      await Promise.all(Array.from({ length: 100 }, () => jobs.enqueue(job)))
      expect(await jobs.depth()).toEqual({ waiting: 1, active: 0 })
      const one = await worker(jobs)
      await eventually(() => expect(one.handled).toHaveLength(1))
      await Promise.all(Array.from({ length: 100 }, () => jobs.enqueue(job)))
      one.finishAll()
      await eventually(async () => expect(await jobs.exists([job])).toEqual([false]))
      await jobs.enqueue(marker)
      await eventually(() => expect(one.of(marker)).toBeDefined())
      expect(one.handled).toHaveLength(2)
      one.finishAll()
    })

    it('that is over may be enqueued again under the same name', async () => {
      const { jobs } = await open()
      const job = someJob()
      const one = await worker(jobs)
      for (const round of [1, 2, 3]) {
        await jobs.enqueue(job)
        await eventually(() => expect(one.handled).toHaveLength(round))
        one.finishAll()
        await eventually(async () => expect(await jobs.exists([job])).toEqual([false]))
      }
    })

    it('is over when its handler fails, and is not done again', async () => {
      const { jobs } = await open()
      const [job, marker] = [someJob(), someJob()]
      const one = await worker(jobs, 1)
      await jobs.enqueue(job)
      await eventually(() => expect(one.handled).toHaveLength(1))
      one.of(job)?.finish(new Error('failed'))
      await eventually(async () => expect(await jobs.exists([job])).toEqual([false]))
      await jobs.enqueue(marker)
      await eventually(() => expect(one.of(marker)).toBeDefined())
      expect(one.handled).toHaveLength(2)
      one.finishAll()
    })

    it('can be dropped while it waits; one at work goes on', async () => {
      const { jobs } = await open()
      const [atWork, waiting, marker] = [someJob(), someJob(), someJob()]
      const one = await worker(jobs, 1)
      await jobs.enqueue(atWork)
      await eventually(() => expect(one.handled).toHaveLength(1))
      await jobs.enqueue(waiting)
      for (let i = 0; i < 2; i += 1) for (const job of [atWork, waiting, someJob()]) await jobs.drop(job)
      expect(await jobs.exists([atWork, waiting])).toEqual([true, false])
      expect(one.of(atWork)?.signal.aborted).toBe(false)

      await jobs.enqueue(marker)
      one.of(atWork)?.finish()
      await eventually(() => expect(one.of(marker)).toBeDefined())
      expect(one.of(waiting)).toBeUndefined()
      one.finishAll()
    })
  })
}
