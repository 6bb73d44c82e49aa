import { integer } from '../codecs/values.ts'
import { type Setting, setting } from '../setting.ts'

/** WORKER_CONCURRENCY: a stream waits for its provider most of the time, so one process has many. */
export function workerConcurrency(): Setting<number> {
  return setting('WORKER_CONCURRENCY', integer({ min: 1, max: 10_000 }), {
    about: 'Answers that one worker has under way at once.',
    default: '50',
  })
}
