import { available } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import { cleanUp, later } from '../distributed/scene.ts'
import { type Asked, allSawTheEnd, ask, devicesOf, endsOf, faultsOfAnswers } from './asked.ts'
import { startNarrator } from './narrator.ts'
import { settled, whole } from './scene.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 120_000, interval: 50 }
/** As many crashes as an answer may have (R13). */
const CRASHES = 3

describe.skipIf(!there)('an answer that crashes every worker that tries it', { timeout: 300_000 }, () => {
  it('fails after three of them, and everybody is told; those that were at work beside it each time, and new ones, are answered (fault 25)', async () => {
    const crashes: string[] = []
    const narrator = await startNarrator(({ question, nth, worker }) => {
      if (question === 'poison') {
        crashes.push(worker)
        return { pieces: 10, holdAt: 3 }
      }
      if (question.startsWith('fresh')) return { pieces: 10 }
      // Those beside it are in the middle of their text each time.
      return { pieces: 10, ...(nth < CRASHES ? { holdAt: 3 } : { paceMs: 100 }) }
    })
    later(() => narrator.stop())
    const all = await whole({
      roamers: 8,
      clockScale: 0.4,
      patience,
      workers: 0,
      models: narrator.models,
      // Held for longer than vendors may hold anybody.
      env: { LLM_FIRST_TOKEN_TIMEOUT: '5m', LLM_IDLE_TIMEOUT: '5m' },
    })
    const { backend, roamers, system } = all
    let started = 0
    const start = async () => backend.startWorker(narrator.keysOf(`worker-${started++}`))
    await start()
    const beside = await Promise.all(roamers.map((roamer, i) => ask(roamer, `beside-${i}`)))
    await expect.poll(() => beside.every(({ name }) => narrator.told(name).length === 1), patience).toBe(true)
    const poison = await ask(roamers[0] as never, 'poison')
    const fresh: Asked[] = []
    for (let n = 1; n <= CRASHES; n += 1) {
      await expect.poll(() => crashes.length, patience).toBe(n)
      const worker = backend.workers.at(-1)
      // So that each one that the poison hits has the others as well, as when there is one worker left.
      if (n < CRASHES) {
        await expect.poll(() => beside.every(({ name }) => narrator.told(name).length === n), patience).toBe(true)
      }
      worker?.process.kill('SIGKILL')
      await worker?.process.exited
      await start()
      fresh.push(...(await Promise.all(roamers.map((roamer, i) => ask(roamer, `fresh-${n}-${i}`)))))
    }
    const others = [...beside, ...fresh]
    await expect.poll(() => [...others, poison].every((one) => allSawTheEnd(all, one)), patience).toBe(true)
    await settled(all, patience)
    for (const device of devicesOf(all, poison)) {
      expect(endsOf(device, poison).map(({ status, error }) => ({ status, code: error?.code }))).toEqual([
        { status: 'failed', code: 'answer_lost' },
      ])
    }
    expect(crashes.length).toBe(CRASHES)
    const faults = await faultsOfAnswers(all, narrator, others)
    expect(faults).toEqual([])
    expect(await faultsOf(system, roamers)).toEqual([])
  })
})
