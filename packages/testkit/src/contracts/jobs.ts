import type { Job } from '@chatbox/core'
import { describe } from 'vitest'
import type { Build } from './adapter.ts'
import { consumeContract } from './jobs/consume.ts'
import { jobLifeContract } from './jobs/life.ts'
import { jobLossContract } from './jobs/loss.ts'

/** A store of jobs whose suite can make a worker vanish. */
export type BuildJobs = Build<
  'jobs',
  {
    /** The worker that has this job stops being heard of, and the store gives the job to somebody else. Resolves when that was set going. */
    lose(job: Job): Promise<void>
  }
>

/** Everything that holds for Jobs, whatever they are kept in. */
export function jobsContract(name: string, build: BuildJobs): void {
  describe(`Jobs on ${name}`, () => {
    jobLifeContract(build)
    consumeContract(build)
    jobLossContract(build)
  })
}
