import { available } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import { faultsOf } from '../distributed/faults-of.ts'
import { cleanUp, metric } from '../distributed/scene.ts'
import { allSawTheEnd, faultsOfAnswers } from './asked.ts'
import { settled } from './scene.ts'
import { PIECES, type Stages, staged } from './stages.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 60_000, interval: 50 }
/** Fault 3: within this time the next attempt has begun. */
const TAKEOVER_MS = 20_000

const KILLED: Stages = {
  'killed-before-the-first-token': { at: 0 },
  'killed-at-the-first': { at: 1 },
  'killed-at-the-fifth': { at: 5 },
  'killed-before-the-end': { at: PIECES },
  'killed-anthropic': { at: 3, vendor: 'anthropic' },
  'killed-dify': { at: 3, vendor: 'dify' },
}

/** Their vendor goes on when the worker does; where both attempts have come as far, the chunks of one would fit into the other. */
const TALKATIVE: Stages = {
  'talkative-before-the-first-token': { at: 0, heirAt: 0 },
  'talkative-at-the-first': { at: 1, heirAt: 1 },
  'talkative-after-its-heir': { at: 12 },
  'talkative-anthropic': { at: 1, heirAt: 1, vendor: 'anthropic' },
  'talkative-dify': { at: 1, heirAt: 1, vendor: 'dify' },
}

/** Their vendor says nothing more, so that nothing is appended. */
const SILENT: Stages = {
  'silent-before-the-first-token': { at: 0 },
  'silent-at-the-fifth': { at: 5, heirAt: 2 },
}

const OF_THE_HEIR: Stages = { 'of-the-heir': { at: 4 } }

describe.skipIf(!there)('workers that die or hang over their answers', { timeout: 300_000 }, () => {
  it('are replaced within 20 s; devices and database have the last attempt alone; who comes back writes nothing (faults 3, 5)', async () => {
    const scene = await staged({ ...KILLED, ...TALKATIVE, ...SILENT, ...OF_THE_HEIR }, { patience, clockScale: 1 })
    const { all, narrator, toldOf } = scene
    const victim = await scene.busy('victim', KILLED)
    const { wire, env } = await scene.wireToQueue()
    const ghost = await scene.busy('ghost', { ...TALKATIVE, ...SILENT }, env)
    const heir = await all.backend.startWorker(narrator.keysOf('heir'))
    const ofTheHeir = await scene.asked(OF_THE_HEIR)
    const chunksOfGhost = () => metric(ghost, 'chatbox_worker_chunks_total')
    const chunksBefore = await chunksOfGhost()
    expect(chunksBefore).toBeGreaterThan(0)

    const hitAt = performance.now()
    victim.process.kill('SIGKILL')
    ghost.process.kill('SIGSTOP')
    const orphans = [...victim.asked, ...ghost.asked]
    const without = () => orphans.flatMap(({ name }) => (narrator.told(name).length < 2 ? [name] : []))
    await expect.poll(without, { ...patience, timeout: TAKEOVER_MS - (performance.now() - hitAt) }).toEqual([])
    await expect.poll(() => scene.heirsHaveCome(orphans), patience).toBe(true)

    // Nobody but the store can tell the ghost that its answers are somebody else's.
    wire.freeze()
    ghost.process.kill('SIGCONT')
    const left = (reason: string) => metric(ghost, `chatbox_worker_answers_left_total{reason="${reason}"}`)
    const talkative = ghost.asked.filter(({ name }) => name in TALKATIVE)
    const silent = ghost.asked.filter(({ name }) => name in SILENT)
    for (const one of talkative) narrator.release(toldOf(one, 1))
    await expect.poll(() => left('superseded'), patience).toBe(talkative.length)
    expect(await left('job-lost')).toBe(0)
    // And nobody but the queue, of those whose vendor says nothing.
    wire.thaw()
    await expect.poll(() => left('job-lost'), patience).toBe(silent.length)
    for (const one of silent) expect(await toldOf(one, 1).closed).toMatchObject({ byClient: true })
    expect(await chunksOfGhost()).toBe(chunksBefore)
    expect(await metric(ghost, 'chatbox_worker_answers_active')).toBe(0)

    for (const one of ghost.asked) narrator.release(toldOf(one, 2))
    for (const one of ofTheHeir) narrator.release(toldOf(one, 1))
    const everything = [...orphans, ...ofTheHeir]
    await expect.poll(() => everything.every((one) => allSawTheEnd(all, one)), patience).toBe(true)
    await settled(all, patience)
    const faults = await faultsOfAnswers(all, narrator, everything)
    expect(faults).toEqual([])
    expect(orphans.map(({ name }) => narrator.told(name).length)).toEqual(orphans.map(() => 2))
    expect(ofTheHeir.map(({ name }) => narrator.told(name).length)).toEqual([1])
    expect(await faultsOf(all.system, all.roamers)).toEqual([])
    for (const worker of [ghost, heir]) {
      worker.process.kill('SIGTERM')
      expect(await worker.process.exited).toEqual({ code: 0, signal: null })
    }
  })
})
