import { available } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import type { Roamer } from '../distributed/roamer.ts'
import { cleanUp, later, metric } from '../distributed/scene.ts'
import { type Asked, ask, endsOf, faultsOfAnswers } from './asked.ts'
import { type Narrator, startNarrator } from './narrator.ts'
import { settled, whole } from './scene.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 100_000, interval: 100 }
const DEVICES = 20
const SESSIONS = 5
const STREAMS = DEVICES * SESSIONS

/** Each device has so many sessions, in each of which one answer follows the other until told to stop. */
function streams(roamers: readonly Roamer[], narrator: Narrator) {
  let over = false
  const asked: Asked[] = []
  async function stream(roamer: Roamer, name: string): Promise<void> {
    let sid: string | undefined
    for (let n = 1; !over; n += 1) {
      const one = await ask(roamer, `${name}-${n}`, sid === undefined ? {} : { sid })
      asked.push(one)
      sid = one.sid
      await expect.poll(() => endsOf(roamer, one).length, { ...patience, interval: 200 }).toBeGreaterThan(0)
    }
  }
  const all = Promise.all(
    roamers.flatMap((roamer, i) =>
      Array.from({ length: SESSIONS }, (_, session) => stream(roamer, `stream-${i}-${session}`)),
    ),
  )
  // A test that fails stops the roamers under it; it has said why.
  all.catch(() => undefined)
  return {
    asked: asked as readonly Asked[],
    /** Of which something was said, and not everything. */
    begun: () => asked.filter(({ name }) => narrator.told(name).length > 0).length,
    async stop() {
      over = true
      await all
    },
  }
}

describe.skipIf(!there)('a rolling restart of all workers', { timeout: 300_000 }, () => {
  it('fails no answer of 100 streams: each comes once and whole, and nothing is mixed (P9, R13, fault 4)', async () => {
    // 3 s: longer than the 2 s that a worker may go on for, so that some are handed back in the middle of their text.
    const narrator = await startNarrator(() => ({ pieces: 20, paceMs: 150 }))
    later(() => narrator.stop())
    const all = await whole({
      roamers: DEVICES,
      clockScale: 1,
      patience,
      workers: 0,
      models: narrator.models,
      env: { SHUTDOWN_TIMEOUT: '7s' },
    })
    const { backend, roamers, system } = all
    const start = (name: string) => backend.startWorker(narrator.keysOf(name))
    await Promise.all(['first', 'second', 'third'].map(start))
    const talking = streams(roamers, narrator)
    await expect.poll(() => talking.begun(), patience).toBeGreaterThanOrEqual(STREAMS)

    const leaving = [...backend.workers]
    const finishing: number[] = []
    for (const [i, worker] of leaving.entries()) {
      await start(`replacement-${i}`)
      await expect.poll(() => metric(worker, 'chatbox_worker_answers_active'), patience).toBeGreaterThan(5)
      const from = worker.process.output().length
      worker.process.kill('SIGTERM')
      expect(await worker.process.exited).toEqual({ code: 0, signal: null })
      finishing.push(worker.process.output().slice(from).split('an answer ended').length - 1)
    }
    await talking.stop()
    await settled(all, patience)

    const { asked } = talking
    const requests = asked.map(({ name }) => narrator.told(name).length)
    // Both ways of a stop were taken: what could be finished was, the rest was done again by others.
    expect(finishing.reduce((sum, n) => sum + n)).toBeGreaterThan(0)
    expect(requests.filter((n) => n > 1).length).toBeGreaterThan(0)
    const faults = await faultsOfAnswers(all, narrator, asked)
    expect(faults).toEqual([])
    await expect.poll(() => faultsOf(system, roamers), patience).toEqual([])
  })
})
