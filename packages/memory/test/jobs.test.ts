import { jobsContract } from '@chatbox/testkit/contracts'
import { store } from './store.ts'

jobsContract('memory', async (settings) => {
  const fabric = await store(settings)
  return {
    ...fabric,
    async lose(job) {
      if (!fabric.test.jobs.lose(job)) throw new Error('the job is not at work')
    },
  }
})
