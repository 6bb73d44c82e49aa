import { type Job, partitionOf, sessionId } from '@chatbox/core'
import { afterEach, describe, expect, it } from 'vitest'
import { type Bench, type BenchOptions, bench, user } from './fixture.ts'
import { until } from './talk.ts'

const alice = user('alice')
const sid = sessionId('session-1')

let b: Bench
afterEach(() => b.close())

/** What is stored is there to be swept for a while before it is queued, as on a machine that is busy. */
function slowToQueue() {
  const queued: Job[] = []
  let pages = 0
  let looks = 0
  let goOn: () => void = () => undefined
  const held = new Promise<void>((resolve) => {
    goOn = resolve
  })
  const wrap: BenchOptions['wrap'] = (deps) => ({
    ...deps,
    conversations: {
      ...deps.conversations,
      unsettledOf(partition, ...args) {
        if (partition === partitionOf(alice, 64)) pages += 1
        return deps.conversations.unsettledOf(partition, ...args)
      },
    },
    fabric: {
      ...deps.fabric,
      jobs: {
        ...deps.fabric.jobs,
        async enqueue(job) {
          await held
          queued.push(job)
          return deps.fabric.jobs.enqueue(job)
        },
        async exists(jobs) {
          const found = await deps.fabric.jobs.exists(jobs)
          looks += 1
          return found
        },
      },
    },
  })
  return {
    wrap,
    queued,
    goOn,
    /** Once the sweeper has seen that there is no job, and is in line to do something about it. */
    async swept() {
      await until(() => looks > 0, 'the sweeper has looked for the job')
      const before = pages
      await until(() => pages > before, 'the sweeper has gone on to the next page')
    },
  }
}

describe('the sweeper, in line behind the message that it has seen without a job', () => {
  it('leaves the answer alone, and tells the message no second time', async () => {
    const slow = slowToQueue()
    b = await bench({ wrap: slow.wrap })
    const events = await b.events(alice)
    const said = b.say(alice, sid, 'hello')
    await slow.swept()
    slow.goOn()
    expect(await said).toEqual({ ok: true })
    // In line behind the sweeper.
    await b.say(alice, sessionId('session-2'), 'behind it')
    expect(slow.queued.filter((job) => job.sid === sid).map(({ n }) => n)).toEqual([0])
    expect(events.frames.filter((frame) => frame.type === 'message' && frame.sid === sid)).toHaveLength(1)
    expect(await b.counted('storage_swept_total')).toEqual({})
  })
})
