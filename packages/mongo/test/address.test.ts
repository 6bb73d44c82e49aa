import { Unavailable } from '@chatbox/core'
import { checkMongo, migrateMongo, openMongo, readMongoUri } from '@chatbox/mongo'
import { sealedSession } from '@chatbox/testkit/rows'
import { describe, expect, it, onTestFinished } from 'vitest'

describe('an address of MongoDB', () => {
  it.each(['', 'redis://localhost', 'mongodb://', 'mongodb://user:half@word@a-canary', 'mongodb://a-canary:port/'])(
    // not a secret
    'that can’t be read (%j) is said to be so at once, and is not quoted',
    async (uri) => {
      const acts = [async () => void openMongo({ uri, database: 'any' }), () => migrateMongo({ uri, database: 'any' })]
      expect(() => readMongoUri(uri)).toThrow(new TypeError('the driver of MongoDB can’t read it'))
      for (const act of acts) {
        const fault = await act().catch((error: unknown) => error)
        expect(fault).toMatchObject({ name: 'StoreError', code: 'misconfigured' })
        expect(JSON.stringify([String(fault), (fault as Error).stack, (fault as Error).cause])).not.toContain(
          'a-canary',
        )
      }
    },
  )

  it.each([
    'mongodb://localhost',
    'mongodb://a:1,b:2/?replicaSet=rs0&tls=true',
    'mongodb+srv://user:%40@cluster.example.org/?appName=x',
  ])('that can be read (%j) is', (uri) => {
    expect(readMongoUri(uri)).toBeUndefined()
  })

  it('where nobody answers is unavailable, time and again, within the time of a call', async () => {
    const uri = 'mongodb://127.0.0.1:9/'
    const mongo = openMongo({ uri, database: 'any', answerMs: 300 })
    onTestFinished(mongo.close)
    const start = performance.now()
    await expect(mongo.conversations.session(sealedSession().sid)).rejects.toBeInstanceOf(Unavailable)
    await expect(mongo.conversations.ping()).rejects.toBeInstanceOf(Unavailable)
    await expect(mongo.leases.replicas()).rejects.toBeInstanceOf(Unavailable)
    await expect(checkMongo({ uri, database: 'any', retryMs: 300 })).rejects.toBeInstanceOf(Unavailable)
    expect(performance.now() - start).toBeLessThan(10_000)
  })
})
