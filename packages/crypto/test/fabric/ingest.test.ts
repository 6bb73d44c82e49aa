import { type EntryPacket, type Fabric, requestId, Unavailable } from '@chatbox/core'
import type { MemoryFabric } from '@chatbox/memory'
import { describe, expect, it } from 'vitest'
import { openFabric } from './open-fabric.ts'
import { bytes, entry, outcome, textIn } from './samples.ts'

const never = new AbortController().signal
const PARTITION = 3

/** A log that changes the entries of these requests. */
const editing =
  (...edited: string[]) =>
  (inner: MemoryFabric): Fabric => ({
    ...inner,
    ingest: {
      ...inner.ingest,
      append: (given) =>
        inner.ingest.append(
          edited.includes(given.packet.header.requestId) ? { ...given, packet: broken(given.packet) } : given,
        ),
    },
  })

const broken = ({ header, body }: EntryPacket): EntryPacket => {
  const other = Buffer.from(body)
  other[other.length - 1]! ^= 1
  return { header, body: other }
}

const append = (fabric: Fabric, id: string, partition = PARTITION) =>
  fabric.ingest.append({ partition, packet: entry(id, `text of ${id}`) })

describe('an entry that does not open', () => {
  it('is put aside and counted; those around it are read, in order', async () => {
    const { sealed, unopenable } = openFabric(editing('two', 'four'))
    for (const id of ['one', 'two', 'three', 'four']) await append(sealed, id)
    const source = await sealed.ingest.own(PARTITION)
    const { entries } = await source.read(10, never)
    expect(entries.map(({ packet }) => textIn(packet))).toEqual(['text of one', 'text of three'])
    expect(unopenable).toEqual(['entry', 'entry'])

    await source.remove(entries.map(({ id }) => ({ id })))
    await append(sealed, 'five')
    expect((await source.read(10, never)).entries.map(({ packet }) => textIn(packet))).toEqual(['text of five'])
    expect(await sealed.ingest.backlog(PARTITION)).toEqual({ waiting: 1, dead: 2 })
    const letters = await sealed.ingest.deadLetters(PARTITION)
    expect(letters.map(({ reason }) => reason)).toEqual(['unopenable', 'unopenable'])
  })

  it('keeps a reader waiting for one that does', async () => {
    const { sealed } = openFabric(editing('bad'))
    await append(sealed, 'bad')
    const source = await sealed.ingest.own(PARTITION)
    const reading = source.read(1, never)
    await append(sealed, 'good')
    expect((await reading).entries.map(({ packet }) => textIn(packet))).toEqual(['text of good'])
    expect(await sealed.ingest.backlog(PARTITION)).toEqual({ waiting: 1, dead: 1 })
  })

  it('loses nothing when it cannot be put aside: that is tried again', async () => {
    let down = true
    const { sealed } = openFabric((inner) => {
      const { ingest, ...rest } = editing('bad')(inner)
      return {
        ...rest,
        ingest: {
          ...ingest,
          async own(partition) {
            const source = await ingest.own(partition)
            return {
              ...source,
              async bury(...given) {
                if (down) throw new Unavailable('the log does not answer')
                return source.bury(...given)
              },
            }
          },
        },
      }
    })
    for (const id of ['bad', 'one', 'two']) await append(sealed, id)
    const source = await sealed.ingest.own(PARTITION)
    expect((await source.read(2, never)).entries.map(({ packet }) => textIn(packet))).toEqual(['text of one'])
    await expect(source.read(2, never)).rejects.toBeInstanceOf(Unavailable)
    down = false
    expect((await source.read(2, never)).entries.map(({ packet }) => textIn(packet))).toEqual(['text of two'])
    expect(await sealed.ingest.backlog(PARTITION)).toEqual({ waiting: 2, dead: 1 })
  })

  it('is one that was moved to another partition, or whose header was changed', async () => {
    const { sealed, unopenable } = openFabric((inner) => ({
      ...inner,
      ingest: {
        ...inner.ingest,
        async append(given) {
          const { header, body } = given.packet
          await inner.ingest.append({ ...given, partition: given.partition + 1 })
          await inner.ingest.append({ ...given, packet: { header: { ...header, kind: 'session.end' }, body } })
          await inner.ingest.append({
            ...given,
            packet: { header: { ...header, requestId: requestId('other') }, body },
          })
          return inner.ingest.append(given)
        },
      },
    }))
    await append(sealed, 'one')
    await append(sealed, 'two', PARTITION + 1)
    for (const partition of [PARTITION, PARTITION + 1]) {
      const { entries } = await (await sealed.ingest.own(partition)).read(10, never)
      expect(entries.map(({ packet }) => textIn(packet))).toEqual([
        partition === PARTITION ? 'text of one' : 'text of two',
      ])
    }
    expect(unopenable).toEqual(Array.from({ length: 5 }, () => 'entry'))
  })

  it('lets a reader be stopped', async () => {
    const { sealed } = openFabric(editing('bad'))
    await append(sealed, 'bad')
    const source = await sealed.ingest.own(PARTITION)
    const stop = new AbortController()
    const reading = source.read(1, stop.signal)
    stop.abort(new Error('stopped'))
    await expect(reading).rejects.toThrow('stopped')
  })
})

describe('an outcome', () => {
  it('of another request, or edited, is not known', async () => {
    let swap: 'swapped' | 'edited' | 'kept' = 'kept'
    const { sealed, unopenable } = openFabric((inner) => ({
      ...inner,
      ingest: {
        ...inner.ingest,
        async outcome(partition, id) {
          const kept = await inner.ingest.outcome(partition, swap === 'swapped' ? requestId('two') : id)
          return kept && swap === 'edited' ? { ...kept, body: bytes('edited') } : kept
        },
      },
    }))
    for (const id of ['one', 'two']) await append(sealed, id)
    const source = await sealed.ingest.own(PARTITION)
    const { entries } = await source.read(10, never)
    await source.remove(entries.map(({ id, packet }) => ({ id, outcome: outcome(packet.header.requestId) })))

    expect((await sealed.ingest.outcome(PARTITION, requestId('one')))?.header.requestId).toBe('one')
    swap = 'swapped'
    expect(await sealed.ingest.outcome(PARTITION, requestId('one'))).toBeUndefined()
    swap = 'edited'
    expect(await sealed.ingest.outcome(PARTITION, requestId('one'))).toBeUndefined()
    expect(unopenable).toEqual(['outcome', 'outcome'])
    expect(await sealed.ingest.outcome(PARTITION, requestId('three'))).toBeUndefined()
    expect(unopenable).toHaveLength(2)
  })
})
