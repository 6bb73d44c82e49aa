import { available } from '@chatbox/testkit/servers'
import { afterEach, describe, expect, it } from 'vitest'
import type { Roamer } from '../distributed/roamer.ts'
import { cleanUp, later, metric } from '../distributed/scene.ts'
import { type Asked, allSawTheEnd, ask, devicesOf, endsOf, faultsOfAnswers } from './asked.ts'
import { heldBy, TELLS_HEAP } from './heap.ts'
import { startNarrator } from './narrator.ts'
import { settled, type Whole, whole } from './scene.ts'

const there = (await available('redis')) && (await available('mongo'))
afterEach(cleanUp)

const patience = { timeout: 240_000, interval: 250 }
/** Each device asks in so many sessions, two questions in each. */
async function askAll(
  { roamers }: Whole,
  name: string,
  sessions: number,
): Promise<readonly (readonly [Asked, Asked])[]> {
  const pairs = roamers.map(async (roamer, i) => {
    const own: [Asked, Asked][] = []
    for (let session = 0; session < sessions; session += 1) {
      const first = await ask(roamer, `${name}-${i}-${session}-1`)
      own.push([first, await ask(roamer, `${name}-${i}-${session}-2`, { sid: first.sid })])
    }
    return own
  })
  return (await Promise.all(pairs)).flat()
}

/** How often, and in which order, a device was told of beginnings and ends; of an end that came again as it was, the first (R8). */
function courseOn({ logged }: Roamer, answers: readonly Asked[]): string[] {
  const names = new Map(answers.map(({ answerId, name }): [string, string] => [answerId, name]))
  const course = logged.flatMap((frame) => {
    if (frame.type !== 'answer.started' && frame.type !== 'answer.done') return []
    const name = names.get(frame.answerId)
    return name === undefined ? [] : [`${name} ${frame.type}`]
  })
  return course.filter((each, i) => !each.endsWith('answer.done') || course.indexOf(each) === i)
}

describe.skipIf(!there)('more questions than there are places', { timeout: 600_000 }, () => {
  it('1 000 at 2 workers are all answered, in the order of their sessions, and take no more memory (R16, R17)', async () => {
    const PLACES = 50
    let open = true
    const narrator = await startNarrator(() => ({ pieces: 4, pieceLength: 5_000, ...(!open && { holdAt: 1 }) }))
    later(() => narrator.stop())
    const all = await whole({
      roamers: 20,
      clockScale: 1,
      patience,
      workers: 0,
      models: narrator.models,
      // The first are held until all have asked.
      env: { LLM_FIRST_TOKEN_TIMEOUT: '5m', LLM_IDLE_TIMEOUT: '5m' },
    })
    const { backend, roamers } = all
    for (const name of ['one', 'other']) {
      await backend.startWorker({ ...narrator.keysOf(name), ...TELLS_HEAP, WORKER_CONCURRENCY: String(PLACES) })
    }
    const unanswered = (asked: readonly Asked[]) => asked.filter((one) => !allSawTheEnd(all, one)).length
    // So that what is loaded and set up with the first answers does not count.
    const rehearsed = (await askAll(all, 'rehearsed', 2)).flat()
    await expect.poll(() => unanswered(rehearsed), patience).toBe(0)
    const heldBefore = await Promise.all(backend.workers.map(heldBy))

    open = false
    const sessions = await askAll(all, 'queued', 25)
    const asked = sessions.flat()
    expect(asked.length).toBe(1_000)
    await expect
      .poll(() => backend.fabric.jobs.depth(), patience)
      .toEqual({ active: 2 * PLACES, waiting: sessions.length - 2 * PLACES })
    open = true
    const told = () => asked.flatMap(({ name }) => narrator.told(name))
    for (const one of told()) narrator.release(one)
    await expect.poll(() => unanswered(asked), patience).toBe(0)
    const heldAfter = await Promise.all(backend.workers.map(heldBy))

    for (const [i, worker] of ['one', 'other'].entries()) {
      const texts = told().filter((one) => one.worker === worker)
      expect(texts.length).toBeGreaterThan(asked.length / 4)
      // Whoever keeps something of each answer keeps its text at least; how much else there is varies by less than that.
      const weight = texts.reduce((sum, { text }) => sum + text.length, 0)
      expect((heldAfter[i] ?? 0) - (heldBefore[i] ?? 0)).toBeLessThan(weight)
    }
    await settled(all, patience)
    expect(await faultsOfAnswers(all, narrator, asked)).toEqual([])
    expect(asked.filter(({ name }) => narrator.told(name).length !== 1)).toEqual([])
    for (const [first, second] of sessions) {
      const course = [first, second].flatMap(({ name }) => [`${name} answer.started`, `${name} answer.done`])
      for (const device of devicesOf(all, first)) expect(courseOn(device, [first, second])).toEqual(course)
    }
    for (const worker of backend.workers) expect(await metric(worker, 'chatbox_worker_answers_active')).toBe(0)
    expect(roamers.flatMap(({ errors }) => errors)).toEqual([])
  })

  it('those that wait longer than they may fail, and everybody is told; the rest of the queue goes on (R17)', async () => {
    let hangs = true
    const narrator = await startNarrator(() => ({ pieces: 8, ...(hangs && { holdAt: 1 }) }))
    later(() => narrator.stop())
    const all = await whole({
      roamers: 6,
      clockScale: 0.25,
      patience,
      workers: 0,
      models: narrator.models,
      env: {
        LLM_QUEUE_TIMEOUT: '1s',
        LLM_FIRST_TOKEN_TIMEOUT: '4s',
        LLM_IDLE_TIMEOUT: '4s',
        LLM_TOTAL_TIMEOUT: '4s',
        WORKER_CONCURRENCY: '2',
      },
    })
    const { backend, roamers } = all
    for (const name of ['one', 'other']) await backend.startWorker(narrator.keysOf(name))
    const asked = await Promise.all(
      roamers.flatMap((roamer, i) => Array.from({ length: 4 }, (_, n) => ask(roamer, `late-${i}-${n}`))),
    )
    await expect.poll(() => asked.every((one) => allSawTheEnd(all, one)), patience).toBe(true)
    const endOf = (one: Asked) => devicesOf(all, one).flatMap((device) => endsOf(device, one))
    const unbegun = asked.filter((one) => endOf(one)[0]?.attempt === 0)
    expect(unbegun.length).toBeGreaterThan(0)
    expect(unbegun.flatMap(({ name }) => narrator.told(name))).toEqual([])
    for (const one of asked) {
      const [end, ...others] = endOf(one)
      expect(others).toEqual(
        devicesOf(all, one)
          .slice(1)
          .map(() => end),
      )
      expect(end).toMatchObject({ status: 'failed', error: { retryable: true } })
      // A worker may begin with one just as the sweeper finds that its time is over.
      const codes = unbegun.includes(one) ? ['queue_timeout'] : ['queue_timeout', 'provider_timeout']
      expect(codes).toContain(end?.error?.code)
    }
    // Those that had the places were asked for, and hung.
    const hung = asked.filter((one) => endOf(one)[0]?.error?.code === 'provider_timeout')
    expect(hung.length).toBeGreaterThanOrEqual(4)
    hangs = false
    for (const { name } of asked) for (const told of narrator.told(name)) narrator.release(told)
    const next = await ask(roamers[0] as never, 'in-time')
    await expect.poll(() => allSawTheEnd(all, next), patience).toBe(true)
    await settled(all, patience)
    expect(await faultsOfAnswers(all, narrator, [next])).toEqual([])
  })
})
