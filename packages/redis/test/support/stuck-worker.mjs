// A worker of its own that takes a job and never ends it: what a test kills. Runs what was built.
import { redisFabric } from '@chatbox/redis'

const url = process.argv[2] ?? ''
const fabric = redisFabric({ realtimeUrl: url, queueUrl: url })
await fabric.start()
await fabric.jobs.consume(
  (job) => {
    console.log(`at work: ${job.answerId}`)
    return new Promise(() => undefined)
  },
  { concurrency: 10 },
)
