import {
  connectionId,
  decodeEntry,
  type EntryBody,
  edgeId,
  encodeOutcome,
  type Ingest,
  type Outcome,
  partitionOf,
  type RequestId,
  randomId,
  replicaId,
  requestId,
  sessionId,
} from '@chatbox/core'
import { memoryFabric } from '@chatbox/memory'
import { type ErrorCode, encodeFrame, errorFrameOf } from '@chatbox/protocol'
import { createLogger } from '@chatbox/runtime'
import { afterEach, describe, expect, it } from 'vitest'
import { type Changes, createChanges } from '../src/http/changes.ts'
import { user } from './fixture.ts'

const log = createLogger({ service: 'test', level: 'silent' })
const alice = user('alice')
const partition = partitionOf(alice, 64)
const end = { kind: 'session.end', uid: alice, sid: sessionId('s1') } as const
const keyed = (id: string) => ({ requestId: requestId(id), again: true })
const once = () => ({ requestId: requestId(randomId()), again: false })

/** Asks for changes, and plays the owner of the partition by hand. */
async function setUp(options: { requestMs?: number; max?: number; ingest?: (real: Ingest) => Partial<Ingest> } = {}) {
  const memory = memoryFabric()
  const fabric = { ...memory, ingest: { ...memory.ingest, ...options.ingest?.(memory.ingest) } }
  const replica = replicaId(randomId())
  const changes = createChanges(
    { replica, fabric: fabric as never, log },
    { requestMs: options.requestMs ?? 5_000 },
    options.max,
  )
  await changes.start()
  const source = await memory.ingest.own(partition)
  const seen: EntryBody[] = []

  async function next(): Promise<EntryBody> {
    const { entries } = await source.read(1, AbortSignal.timeout(5_000))
    const [entry] = entries
    if (!entry) throw new Error('nothing was read')
    const body = decodeEntry(entry.packet)
    seen.push(body)
    await source.remove([{ id: entry.id }])
    return body
  }
  const reply = async ({ replyTo }: EntryBody, code?: ErrorCode, field?: string) => {
    if (!replyTo) throw new Error('nobody is to be told')
    const { edgeId: edge, connectionId: target, requestId: id } = replyTo
    const header = { target, requestId: id }
    await memory.bus.reply(
      edge,
      code === undefined
        ? { header, body: new Uint8Array() }
        : { header: { ...header, type: 'error' }, body: encodeFrame(errorFrameOf(code, id, field ? { field } : {})) },
    )
  }
  const keep = async (id: RequestId, outcome: Outcome) => {
    await source.remove([{ id: 'none', outcome: encodeOutcome(id, outcome) }])
  }
  opened.push(async () => {
    await changes.stop()
    await memory.close()
  })
  return { changes, memory, seen, next, reply, keep }
}

const opened: (() => Promise<void>)[] = []
const codeOf = (asked: Promise<void>) =>
  asked.then(
    () => 'done',
    (error) => error.code ?? error,
  )

describe('a change that is asked for', () => {
  afterEach(async () => {
    for (const close of opened.splice(0)) await close()
  })

  it('waits for its reply, be it yes or no', async () => {
    const { changes, next, reply } = await setUp()
    const [first, second] = [changes.ask(end, once()), changes.ask(end, once())]
    await reply(await next())
    await first
    await reply(await next(), 'not_found', 'modelId')
    await expect(second).rejects.toMatchObject({ code: 'not_found', field: 'modelId' })
  })

  it('finds what became of it where the reply was lost', async () => {
    const { changes, next, keep } = await setUp({ requestMs: 300 })
    const [yes, no] = [once(), once()]
    const asked = [codeOf(changes.ask(end, yes)), codeOf(changes.ask(end, no))]
    await next()
    await next()
    await keep(yes.requestId, { ok: true })
    await keep(no.requestId, { ok: false, code: 'expired' })
    expect(await Promise.all(asked)).toEqual(['done', 'expired'])
  })

  it('is unavailable when nobody says anything, and not before its time (P8)', async () => {
    const { changes, next } = await setUp({ requestMs: 200 })
    const asked = codeOf(changes.ask(end, once()))
    await next()
    expect(await asked).toBe('unavailable')
    expect(changes.waiting).toBe(0)
  })

  it('is refused at once by a log that is full', async () => {
    const { changes } = await setUp({ ingest: () => ({ append: async () => 'full' }) })
    expect(await codeOf(changes.ask(end, once()))).toBe('overloaded')
  })

  it('goes on waiting where the log does not say whether it was taken', async () => {
    const { changes, next, reply } = await setUp({
      ingest: (real) => ({
        async append(entry) {
          await real.append(entry)
          return 'unknown'
        },
      }),
    })
    const asked = changes.ask(end, once())
    await reply(await next())
    await asked
  })

  it('is bounded in number: more are overloaded, and room comes back', async () => {
    const { changes, next, reply } = await setUp({ max: 2 })
    const asked = [changes.ask(end, once()), changes.ask(end, once())]
    expect(await codeOf(changes.ask(end, once()))).toBe('overloaded')
    await reply(await next())
    await reply(await next())
    await Promise.all(asked)
    const again = changes.ask(end, once())
    await reply(await next())
    await again
  })

  it('is asked for once while the same is under way, and everybody hears', async () => {
    const { changes, next, reply, seen } = await setUp()
    const asked = [changes.ask(end, keyed('key')), changes.ask(end, keyed('key'))]
    await reply(await next())
    await Promise.all(asked)
    expect(seen).toHaveLength(1)
  })

  it('is not asked for again once its outcome is known under its key', async () => {
    const { changes, keep, memory } = await setUp()
    await keep(requestId('done'), { ok: true })
    await keep(requestId('refused'), { ok: false, code: 'conflict' })
    expect(await codeOf(changes.ask(end, keyed('done')))).toBe('done')
    expect(await codeOf(changes.ask(end, keyed('refused')))).toBe('conflict')
    expect(await memory.ingest.backlog(partition)).toMatchObject({ waiting: 0 })
  })

  it('is asked for again where it was refused for the moment only', async () => {
    const { changes, keep, next, reply } = await setUp()
    await keep(requestId('late'), { ok: false, code: 'expired' })
    const asked = changes.ask(end, keyed('late'))
    await reply(await next())
    await asked
  })

  it('does not take an earlier refusal for its own, nor an earlier reply', async () => {
    const { changes, keep, next, reply } = await setUp({ requestMs: 200 })
    const first = codeOf(changes.ask(end, keyed('late')))
    const earlier = await next()
    expect(await first).toBe('unavailable')
    await keep(requestId('late'), { ok: false, code: 'expired' })
    const second = codeOf(changes.ask(end, keyed('late')))
    await next()
    await reply(earlier, 'expired')
    // `expired` would say that it never happens, and it may yet.
    expect(await second).toBe('unavailable')
  })

  it('is told by whoever is asked, however many replicas there are', async () => {
    const { changes, memory, next } = await setUp()
    const heard: unknown[] = []
    await memory.bus.listen(edgeId('another'), (packet) => heard.push(packet))
    const asked = changes.ask(end, once())
    const { replyTo } = await next()
    await memory.bus.reply(replyTo?.edgeId ?? edgeId(''), {
      header: { target: connectionId('whichever'), ...(replyTo && { requestId: replyTo.requestId }) },
      body: new Uint8Array(),
    })
    await asked
    expect(heard).toEqual([])
  })

  it('is answered before a stop is through', async () => {
    const { changes, next, reply } = await setUp()
    const asked = codeOf(changes.ask(end, once()))
    const entry = await next()
    let stopped = false
    const stop = (changes as Changes).stop().then(() => {
      stopped = true
    })
    await new Promise(setImmediate)
    expect(stopped).toBe(false)
    await reply(entry)
    await stop
    expect(await asked).toBe('done')
  })
})
