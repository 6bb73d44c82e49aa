import { inspect } from 'node:util'
import { Unavailable } from '@chatbox/core'
import { MongoInvalidArgumentError, MongoNetworkError, MongoServerError } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { attempts, type Retry } from '../src/attempts.ts'
import { StoreError } from '../src/errors.ts'
import { DUPLICATE_KEY, NotYet } from '../src/faults.ts'

const serverFault = (code: number, codeName: string) =>
  new MongoServerError({ code, codeName, message: 'dup key: { authorId: "a-canary" }', errmsg: 'of a-canary' })

const PASSING: readonly (readonly [string, Error])[] = [
  ['a connection that broke', new MongoNetworkError('connection 1 to 127.0.0.1:1 closed')],
  ['a primary that stepped down', serverFault(189, 'PrimarySteppedDown')],
  ['no majority within the time', serverFault(64, 'WriteConcernFailed')],
  ['a disk that is full', serverFault(14_031, 'OutOfDiskSpace')],
  ['a row that does not show yet', new NotYet('not yet')],
]

/** What fails the first times, and then works. */
function failing(errors: readonly unknown[]) {
  const times: number[] = []
  return {
    times,
    async work(time: number): Promise<string> {
      times.push(time)
      const error = errors[times.length - 1]
      if (error !== undefined) throw error
      return 'done'
    },
  }
}

function stand(answerMs = 5_000) {
  const retries: Retry[] = []
  return { retries, attempt: attempts({ answerMs, onRetry: (retry) => retries.push(retry) }) }
}

describe('an attempt', () => {
  it.each(PASSING)('is made again after %s, and each time is told (D3)', async (_what, error) => {
    const { attempt, retries } = stand()
    const { times, work } = failing([error, error, error])
    expect(await attempt('do it', work)).toBe('done')
    expect(times).toEqual([1, 2, 3, 4])
    expect(retries).toMatchObject([1, 2, 3].map((time) => ({ what: 'do it', attempt: time })))
  })

  it('is made after pauses that grow', async () => {
    const { attempt, retries } = stand()
    await attempt('do it', failing(Array.from({ length: 6 }, () => new NotYet('not yet'))).work)
    const [first, last] = [retries[0], retries.at(-1)]
    expect(first?.delayMs).toBeGreaterThan(0)
    expect(last?.delayMs).toBeGreaterThan(4 * (first?.delayMs ?? 0))
  })

  it('is unavailable when the time is up, with the last fault', async () => {
    const { attempt, retries } = stand(150)
    const always = async () => {
      throw new MongoNetworkError('connection refused')
    }
    await expect(attempt('do it', always)).rejects.toMatchObject({
      name: 'Unavailable',
      message: 'MongoDB could not do it',
      cause: new Error('MongoNetworkError: connection refused'),
    })
    expect(retries.length).toBeGreaterThan(0)
  })

  it('is unavailable when the time is up and nothing has been heard', async () => {
    const { attempt, retries } = stand(50)
    const never = () => new Promise<never>(() => undefined)
    await expect(attempt('do it', never)).rejects.toMatchObject({
      name: 'Unavailable',
      message: 'MongoDB took too long to do it',
    })
    expect(retries).toEqual([])
  })

  it('is unavailable at once where the server says no', async () => {
    const { attempt, retries } = stand()
    const { times, work } = failing([serverFault(13, 'Unauthorized')])
    await expect(attempt('do it', work)).rejects.toBeInstanceOf(Unavailable)
    expect(times).toEqual([1])
    expect(retries).toEqual([])
  })

  it.each([
    ['a document that is too large', serverFault(17_419, 'Location17419'), 'unstorable'],
    ['one that the driver refuses', new MongoInvalidArgumentError('Document is larger than'), 'unstorable'],
    ['one of our own faults', new StoreError('corrupt', 'unexpected'), 'corrupt'],
  ])('is not made again after %s, which is told as it is', async (_what, error, code) => {
    const { attempt } = stand()
    const { times, work } = failing([error])
    await expect(attempt('do it', work)).rejects.toMatchObject({ name: 'StoreError', code })
    expect(times).toEqual([1])
  })

  it('quotes no document and no key of a fault (X4)', async () => {
    const { attempt, retries } = stand(100)
    const faults = [
      await attempt('do it', async () => Promise.reject(serverFault(189, 'PrimarySteppedDown'))).catch(
        (error) => error,
      ),
      await attempt('do it', async () => Promise.reject(serverFault(13, 'Unauthorized'))).catch((error) => error),
      await attempt('do it', async () => Promise.reject(serverFault(17_419, 'TooLarge'))).catch((error) => error),
      await attempt('do it', async () => Promise.reject(serverFault(DUPLICATE_KEY, 'DuplicateKey'))).catch(
        (error) => error,
      ),
    ]
    expect(inspect([faults, retries], { depth: 9 })).not.toContain('a-canary')
    expect(inspect(faults[1])).toContain('MongoServerError 13 Unauthorized')
  })
})
