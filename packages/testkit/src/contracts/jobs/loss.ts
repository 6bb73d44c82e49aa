import { describe, expect, it } from 'vitest'
import { opener } from '../adapter.ts'
import type { BuildJobs } from '../jobs.ts'
import { eventually } from '../recorder.ts'
import { someJob, worker } from './handling.ts'

export function jobLossContract(build: BuildJobs): void {
  describe('a worker that is lost', () => {
    const open = opener(build)

    it('is told by its signal, and its job comes to somebody else (P5)', async () => {
      const { jobs, lose } = await open()
      const ghost = await worker(jobs, 1)
      const job = someJob()
      await jobs.enqueue(job)
      await eventually(() => expect(ghost.handled).toHaveLength(1))
      const heir = await worker(jobs, 1)
      await lose(job)
      await eventually(() => expect(ghost.handled[0]?.signal.aborted).toBe(true))
      await eventually(() => expect(heir.of(job)).toBeDefined())
      expect(await jobs.exists([job])).toEqual([true])
      expect(heir.of(job)?.signal.aborted).toBe(false)
      ghost.finishAll()
      heir.finishAll()
    })

    it('does not end the job of its heir by ending', async () => {
      const { jobs, lose } = await open()
      const ghost = await worker(jobs, 1)
      const [job, marker] = [someJob(), someJob()]
      await jobs.enqueue(job)
      await eventually(() => expect(ghost.handled).toHaveLength(1))
      const heir = await worker(jobs, 1)
      await lose(job)
      await eventually(() => expect(heir.of(job)).toBeDefined())

      ghost.of(job)?.finish()
      await jobs.enqueue(marker)
      await eventually(() => expect(ghost.of(marker)).toBeDefined())
      expect(await jobs.exists([job])).toEqual([true])
      expect(heir.of(job)?.signal.aborted).toBe(false)
      heir.finishAll()
      await eventually(async () => expect(await jobs.exists([job])).toEqual([false]))
      ghost.finishAll()
    })

    it('may be followed by others: a job comes back however often it is lost', async () => {
      const { jobs, lose } = await open()
      const job = someJob()
      await jobs.enqueue(job)
      const workers = []
      for (let i = 0; i < 4; i += 1) {
        const one = await worker(jobs, 1)
        workers.push(one)
        await eventually(() => expect(one.of(job)).toBeDefined())
        await lose(job)
      }
      const last = await worker(jobs, 1)
      await eventually(() => expect(last.of(job)).toBeDefined())
      last.finishAll()
      await eventually(async () => expect(await jobs.exists([job])).toEqual([false]))
      for (const one of workers) one.finishAll()
    })
  })

  describe('a store that lost everything', () => {
    const open = opener(build)

    it('has no jobs any more, and takes them again, also one whose worker is still busy with it', async () => {
      const { jobs, empty } = await open()
      const busy = await worker(jobs, 1)
      const [atWork, waiting] = [someJob(), someJob()]
      await jobs.enqueue(atWork)
      await eventually(() => expect(busy.handled).toHaveLength(1))
      await jobs.enqueue(waiting)
      await empty()
      await eventually(async () => expect(await jobs.exists([atWork, waiting])).toEqual([false, false]))
      expect(await jobs.depth()).toEqual({ waiting: 0, active: 0 })

      const other = await worker(jobs, 2)
      await jobs.enqueue(atWork)
      await eventually(() => expect(other.of(atWork)).toBeDefined())
      busy.finishAll()
      await jobs.enqueue(waiting)
      await eventually(() => expect([...busy.handled.slice(1), other.of(waiting)].some(Boolean)).toBe(true))
      expect(await jobs.exists([atWork])).toEqual([true])
      busy.finishAll()
      other.finishAll()
      await eventually(async () => expect(await jobs.depth()).toEqual({ waiting: 0, active: 0 }))
    })
  })
}
