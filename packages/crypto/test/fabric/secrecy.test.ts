import { deviceId, edgeId, type Fabric } from '@chatbox/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { recording } from '../recording.ts'
import { openFabric } from './open-fabric.ts'
import { anna, chunk, edge, end, entry, event, outcome, refOf, reply, row, SECRET, sid, textIn } from './samples.ts'

const methodsOf = (name: string, port: object): string[] =>
  Object.entries(port).flatMap(([method, value]) => (typeof value === 'function' ? [`${name}.${method}`] : []))

function watchedFabric() {
  const seen = recording()
  const watch = (fabric: Fabric): Fabric => {
    const ingest = seen.wrap('ingest', fabric.ingest)
    return {
      bus: seen.wrap('bus', fabric.bus),
      answers: seen.wrap('answers', fabric.answers),
      ingest: {
        ...ingest,
        append: (given) => ingest.append(given),
        own: async (partition) => seen.wrap('source', await ingest.own(partition)),
      },
      jobs: seen.wrap('jobs', fabric.jobs),
      registry: seen.wrap('registry', fabric.registry),
      limiter: seen.wrap('limiter', fabric.limiter),
      disabled: seen.wrap('disabled', fabric.disabled),
    }
  }
  return { seen, ...openFabric(watch) }
}

/** Everything that a service may ask for, with what must not be seen wherever it may stand. */
async function walk({ bus, answers, ingest, jobs, registry, limiter, disabled }: Fabric): Promise<string[]> {
  const said: (string | undefined)[] = []
  const unsubscribe = await bus.subscribe(anna, { event: (packet) => said.push(textIn(packet)), gap: vi.fn() })
  onTestFinished(unsubscribe)
  const heard = vi.fn()
  await bus.listen(edge, heard)
  const start = await bus.top(anna)
  await bus.append(anna, event(), 1)
  await bus.signal(anna, event(SECRET, { class: 'signal' }))
  const read = await bus.read(anna, start)
  said.push(...(read.kind === 'events' ? read.events.map(({ packet }) => textIn(packet)) : []))
  await bus.reply(edge, reply())
  await bus.forget(anna)
  await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce())
  said.push(textIn(heard.mock.calls[0]?.[0]))

  const ref = refOf(anna)
  await answers.onCancel(vi.fn())
  await answers.begin(ref, 1, 0, event())
  await answers.append([chunk(ref, 0), chunk(ref, 1)])
  await answers.merge(ref, 1, 0, 2, chunk(ref, 0).chunk)
  await answers.cancel(ref)
  await answers.cancelled([ref])
  const snapshot = await answers.snapshot(anna)
  said.push(...snapshot.open.flatMap(({ chunks }) => chunks.map(textIn)))
  await answers.end(ref, 1, end(ref))
  await answers.inspect([ref])
  await answers.close(ref)
  await answers.fence(anna, sid, 1)
  await answers.forget(anna, sid)

  await ingest.append({ partition: 7, packet: entry('request-1'), ttlMs: 5_000 })
  await ingest.append({ partition: 7, packet: entry('request-2'), headroom: true })
  const source = await ingest.own(7)
  const { entries } = await source.read(10, new AbortController().signal)
  said.push(...entries.map(({ packet }) => textIn(packet)))
  await source.remove([{ id: entries[0]?.id ?? '', outcome: outcome('request-1') }])
  await source.bury(entries[1]?.id ?? '', `it said "${SECRET}"`, outcome('request-2'))
  said.push(textIn(await ingest.outcome(7, outcome('request-1').header.requestId)))
  said.push(textIn(await ingest.outcome(7, outcome('request-2').header.requestId)))
  await ingest.now()
  await ingest.backlog(7)
  await ingest.deadLetters(7)
  await source.close()

  const job = { sid, answerId: ref.answerId, n: 1 }
  await jobs.enqueue({ ...job, uid: anna, text: SECRET } as typeof job)
  await jobs.exists([{ ...job, text: SECRET } as typeof job])
  await jobs.drop({ ...job, text: SECRET } as typeof job)
  await jobs.depth()
  await (await jobs.consume(async () => undefined, { concurrency: 1 })).stop()

  await registry.renew(edge)
  await registry.register(row(anna), 10)
  await registry.list(anna)
  await registry.count(anna)
  await registry.unregister(row(anna))
  await registry.leave(edge)

  await limiter.consume('messages', anna, 1)
  await limiter.peek('messages', anna)
  await (await disabled.onChange(vi.fn()))()
  await disabled.replace([anna])
  await disabled.read()
  return said.map(String)
}

describe('adapters behind the sealed fabric', () => {
  it('see no user and nothing that anybody said, whatever is asked of them (R26, R27)', async () => {
    const { seen, sealed, unopenable } = watchedFabric()
    const said = await walk(sealed)

    // 2 heard, 1 read, 1 reply, 1 in the snapshot, 2 entries, 2 outcomes.
    expect(said).toEqual(Array.from({ length: 9 }, () => SECRET))
    expect(unopenable).toEqual([])
    expect(seen.holds('canary')).toBe(false)
    expect(seen.holds(anna)).toBe(false)
    expect(seen.holds('anna')).toBe(false)
  })

  it('are asked for every one of their methods by this test', async () => {
    const { seen, sealed } = watchedFabric()
    await walk(sealed)
    const source = await sealed.ingest.own(1)
    const all = [...Object.entries(sealed), ['source', source] as const]
    expect([...seen.called].sort()).toEqual(all.flatMap(([name, port]) => methodsOf(name, port)).sort())
  })

  it('see these fields and no others in clear', async () => {
    const { seen, sealed } = watchedFabric()
    const ref = refOf(anna)
    await walk(sealed)
    const header = {
      epoch: 1,
      origin: { connectionId: row(anna).connectionId, requestId: entry('r').header.requestId },
    }
    await sealed.bus.append(anna, event(SECRET, { ...header, except: row(anna).connectionId }), 1)
    await sealed.bus.reply(edgeId('edge-2'), { ...reply(), header: { ...reply().header, close: 'replaced' } })
    await sealed.registry.register({ ...row(anna, 'other'), deviceId: deviceId('device') }, 1)
    await sealed.answers.begin(ref, 2, 1, event())

    expect([...seen.fields].sort()).toEqual(
      [
        // Packets: the header is additional data, the body is sealed.
        ['header', 'body', 'packet', 'chunk', 'outcome'],
        ['class', 'type', 'sid', 'answerId', 'attempt', 'index', 'epoch', 'origin', 'except'],
        ['target', 'requestId', 'connectionId', 'close', 'kind'],
        // What goes beside them; `uid` is a tag, `id` an entry's.
        ['uid', 'ref', 'seq', 'partition', 'ttlMs', 'headroom', 'id', 'n', 'concurrency'],
        // Positions, and listeners.
        ['log', 'run', 'offset', 'event', 'gap'],
        ['deviceId', 'edgeId', 'since'],
      ]
        .flat()
        .sort(),
    )
  })

  it('see another tag for each user, and for a user in each bucket of the limiter', async () => {
    const keys: string[] = []
    const { sealed } = openFabric((inner) => ({
      ...inner,
      limiter: {
        consume: async (_bucket, key) => {
          keys.push(key)
          return { allowed: true, remaining: 1 }
        },
        peek: inner.limiter.peek,
      },
      registry: {
        ...inner.registry,
        count: async (uid) => keys.push(uid),
      },
    }))
    for (const [bucket, key] of [
      ['messages', 'anna'],
      ['calls', 'anna'],
      ['messages', 'berta'],
      ['messages', 'anna'],
    ] as const) {
      await sealed.limiter.consume(bucket, key)
    }
    await sealed.registry.count(anna)
    expect(keys).toHaveLength(5)
    expect(new Set(keys).size).toBe(4)
    expect(keys[3]).toBe(keys[0])
    for (const key of keys) expect(key).toMatch(/^[A-Za-z0-9_-]{22}$/)
  })
})
