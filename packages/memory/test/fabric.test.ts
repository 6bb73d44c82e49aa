import { type EntryPacket, type OutcomePacket, requestId, sessionId, Unavailable, userId } from '@chatbox/core'
import { type MemoryFabric, type MemoryOptions, type MemorySizes, memoryFabric } from '@chatbox/memory'
import { afterEach, describe, expect, it, vi } from 'vitest'

const fabrics: MemoryFabric[] = []
afterEach(() => Promise.all(fabrics.splice(0).map((fabric) => fabric.close())))

function open(options: MemoryOptions = {}) {
  let time = 1_000_000
  const fabric = memoryFabric({ now: () => time, ...options })
  fabrics.push(fabric)
  return {
    ...fabric,
    pass(ms: number) {
      time += ms
    },
  }
}

const bytes = (text: string) => new TextEncoder().encode(text)
const uid = userId('user')
const sid = sessionId('session')
const ref = { uid, sid, answerId: 'answer', seq: 2 } as Parameters<MemoryFabric['answers']['close']>[0]
const job = { sid, answerId: ref.answerId, n: 1 }
const event = { header: { class: 'logged', type: 'message' }, body: bytes('event') } as const
const entry = (body = 'entry'): EntryPacket => ({
  header: { requestId: requestId('r'), kind: 'send' },
  body: bytes(body),
})
const outcome = (id: string): OutcomePacket => ({
  header: { requestId: requestId(id), class: 'outcome' },
  body: bytes('done'),
})
const row = {
  uid,
  connectionId: 'c',
  deviceId: 'd',
  edgeId: 'edge',
  since: 0,
} as Parameters<MemoryFabric['registry']['register']>[0]
const listener = { event: () => undefined, gap: () => undefined }
const nothing: MemorySizes = {
  users: 0,
  answers: 0,
  subscriptions: 0,
  entries: 0,
  outcomes: 0,
  dead_letters: 0,
  jobs: 0,
  connections: 0,
  edges: 0,
  limit_keys: 0,
}

/** A little of everything that a fabric can hold. */
async function fill({ bus, answers, ingest, jobs, registry, limiter }: MemoryFabric): Promise<() => Promise<void>> {
  const unsubscribe = await bus.subscribe(uid, listener)
  await bus.append(uid, event, 1)
  await answers.begin(ref, 1, 0, event)
  await answers.fence(uid, sessionId('another'), 1)
  for (const body of ['one', 'two', 'three']) await ingest.append({ partition: 0, packet: entry(body) })
  const source = await ingest.own(0)
  const { entries } = await source.read(3, new AbortController().signal)
  await source.remove([{ id: entries[0]?.id ?? '', outcome: outcome('r') }])
  await source.bury(entries[1]?.id ?? '', 'failed')
  await jobs.enqueue(job)
  await registry.renew(row.edgeId)
  await registry.register(row, 10)
  await limiter.consume('message', 'user')
  return unsubscribe
}

const limits = { message: { points: 5, perMs: 60_000 } }

describe('what is kept (S5)', () => {
  it('is counted', async () => {
    const fabric = open({ limits })
    await fill(fabric)
    const one = Object.fromEntries(Object.keys(nothing).map((name) => [name, 1]))
    expect(fabric.sizes()).toEqual(one)
  })

  it('is released when it has run out, and the clean-ups are told', async () => {
    const released: Record<string, number> = {}
    const fabric = open({
      limits: { message: { points: 5, perMs: 50 } },
      clocks: { sweepMs: 5 },
      onReleased: (structure, count) => {
        released[structure] = (released[structure] ?? 0) + count
      },
    })
    const unsubscribe = await fill(fabric)
    fabric.pass(24 * 3_600_000)
    await vi.waitFor(() => expect(fabric.sizes()).toMatchObject({ answers: 0, connections: 0, edges: 0, outcomes: 0 }))
    // Somebody is subscribed, so the user's log stays (R25).
    expect(fabric.sizes()).toMatchObject({ users: 1, subscriptions: 1 })
    await unsubscribe()
    fabric.pass(24 * 3_600_000)
    await vi.waitFor(() =>
      // What waits for an owner or a worker never runs out.
      expect(fabric.sizes()).toEqual({ ...nothing, entries: 1, dead_letters: 1, jobs: 1 }),
    )
    expect(released).toMatchObject({ users: 1, answers: 1, outcomes: 1, connections: 1, edges: 1 })
  })

  it('is released for thousands of users over several sweeps', async () => {
    const fabric = open({ clocks: { sweepMs: 2 } })
    for (let i = 0; i < 12_000; i += 1) await fabric.bus.top(userId(`user-${i}`))
    expect(fabric.sizes().users).toBe(12_000)
    fabric.pass(24 * 3_600_000)
    await vi.waitFor(() => expect(fabric.sizes().users).toBe(0))
  })

  it('of a dead edge is released also when the edge has come back meanwhile', async () => {
    const fabric = open({ clocks: { sweepMs: 5 } })
    await fabric.registry.renew(row.edgeId)
    await fabric.registry.register(row, 10)
    fabric.pass(3_600_000)
    await fabric.registry.renew(row.edgeId)
    await vi.waitFor(() => expect(fabric.sizes()).toMatchObject({ connections: 0, edges: 1 }))
    await fabric.registry.register(row, 10)
    await fabric.registry.leave(row.edgeId)
    await vi.waitFor(() => expect(fabric.sizes()).toMatchObject({ connections: 0, edges: 0 }))
  })

  it('has bounds beside those of the ports: bytes of entries, outcomes, jobs (P10)', async () => {
    const { ingest, jobs, sizes } = open({ bounds: { entryBytes: 1_000, outcomes: 3, jobs: 2 } })
    const big = { partition: 0, packet: entry('x'.repeat(400)) }
    const taken = [await ingest.append(big), await ingest.append({ ...big, partition: 1 }), await ingest.append(big)]
    expect(taken).toEqual(['taken', 'taken', 'full'])

    const source = await ingest.own(0)
    const { entries } = await source.read(1, new AbortController().signal)
    await source.remove(['a', 'b', 'c', 'd'].map((id) => ({ id: entries[0]?.id ?? '', outcome: outcome(id) })))
    expect(sizes().outcomes).toBe(3)
    expect(await ingest.outcome(0, requestId('a'))).toBeUndefined()
    expect(await ingest.outcome(0, requestId('d'))).toBeDefined()
    expect(await ingest.append(big)).toBe('taken')

    for (const n of [1, 2]) await jobs.enqueue({ ...job, n })
    await expect(jobs.enqueue({ ...job, n: 3 })).rejects.toThrow(Unavailable)
    await jobs.enqueue({ ...job, n: 2 })
  })
})

describe('a loss of one role', () => {
  it('leaves the other role alone', async () => {
    const fabric = open({ limits })
    await fill(fabric)
    fabric.empty('realtime')
    expect(fabric.sizes()).toEqual({ ...nothing, subscriptions: 1, entries: 1, outcomes: 1, dead_letters: 1, jobs: 1 })
    await fill(fabric)
    fabric.empty('queue')
    expect(fabric.sizes()).toMatchObject({ users: 1, answers: 1, connections: 1, entries: 0, outcomes: 0, jobs: 0 })
    const gap = vi.fn()
    await fabric.bus.subscribe(uid, { ...listener, gap })
    fabric.empty('queue')
    fabric.empty('realtime')
    await vi.waitFor(() => expect(gap).toHaveBeenCalledOnce())
  })
})

describe('a listener that throws', () => {
  it('keeps nobody else from hearing, and is reported', async () => {
    const onError = vi.fn()
    const { bus } = open({ onError })
    const fault = new Error('a listener’s own')
    const heard = vi.fn()
    await bus.subscribe(uid, {
      ...listener,
      event: () => {
        throw fault
      },
    })
    await bus.subscribe(uid, { ...listener, event: heard })
    await bus.append(uid, event, 1)
    await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce())
    expect(onError).toHaveBeenCalledExactlyOnceWith(fault)
  })
})

describe('a job', () => {
  it('goes to another worker than the one before it', async () => {
    const { jobs } = open()
    const workers = [1, 2, 3].map(() => vi.fn(() => new Promise<void>(() => undefined)))
    for (const handler of workers) await jobs.consume(handler, { concurrency: 5 })
    for (const n of [1, 2, 3, 4, 5, 6]) await jobs.enqueue({ ...job, n })
    await vi.waitFor(() => expect(workers.map(({ mock }) => mock.calls.length)).toEqual([2, 2, 2]))
  })

  it('whose worker was lost comes back after the stall, and exists until then', async () => {
    const { jobs, test } = open({ clocks: { jobStallMs: 30 } })
    const handler = vi.fn(() => new Promise<void>(() => undefined))
    await jobs.consume(handler, { concurrency: 2 })
    await jobs.enqueue(job)
    await vi.waitFor(() => expect(handler).toHaveBeenCalledOnce())
    expect(test.jobs.lose(job)).toBe(true)
    expect(test.jobs.lose(job)).toBe(false)
    expect(await jobs.exists([job])).toEqual([true])
    expect(handler).toHaveBeenCalledOnce()
    await vi.waitFor(() => expect(handler).toHaveBeenCalledTimes(2))
  })

  it('that failed is reported to those who want to know', async () => {
    const onError = vi.fn()
    const { jobs } = open({ onError })
    const fault = new Error('failed')
    await jobs.consume(() => Promise.reject(fault), { concurrency: 1 })
    await jobs.enqueue(job)
    await vi.waitFor(() => expect(onError).toHaveBeenCalledExactlyOnceWith(fault))
  })
})

describe('a limit', () => {
  it('that no window could hold is refused when the fabric is made', () => {
    for (const rule of [
      { points: 0, perMs: 1_000 },
      { points: 1.5, perMs: 1_000 },
      { points: 1, perMs: 2 ** 31 },
    ]) {
      expect(() => memoryFabric({ limits: { message: rule } })).toThrow(RangeError)
    }
  })
})

describe('close', () => {
  it('ends waiting reads and deliveries; no timer keeps the process', async () => {
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length
    const before = timers()
    const fabric = open({ limits })
    await fill(fabric)
    expect(timers()).toBe(before)
    const heard = vi.fn()
    await fabric.bus.subscribe(uid, { event: heard, gap: heard })
    const source = await fabric.ingest.own(1)
    const reading = expect(source.read(1, new AbortController().signal)).rejects.toThrow(Unavailable)
    await fabric.bus.append(uid, event, 1)
    await fabric.close()
    await reading
    await new Promise(setImmediate)
    expect(heard).not.toHaveBeenCalled()
    expect(fabric.sizes().subscriptions).toBe(0)
  })
})
