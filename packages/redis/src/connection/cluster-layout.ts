import { Unavailable } from '@chatbox/core'
import calculateSlot from 'cluster-key-slot'
import { latestOf, type Range, shapeOf, type View, viewOf } from './cluster-view.ts'
import type { Endpoint } from './faults.ts'
import type { Layout, LayoutDeps } from './layout.ts'
import type { Node } from './node.ts'

/** Only the part in braces counts, where there is one. */
const slotOf = (key: string): number => calculateSlot(key)
const nameOf = ({ host, port }: Endpoint) => `${host}:${port}`

const SLOTS = 16_384

/** The first pause before somebody is looked for again; it doubles. */
const FIRST_PAUSE_MS = 100

interface Known {
  readonly endpoint: Endpoint
  readonly node: Node
}

/** The masters of a Redis Cluster, each of them a connection of its own (docs/decisions/0007). */
export function clusterLayout({ address, times, makeNode, changed, away }: LayoutDeps): Layout {
  const known = new Map<string, Known>()
  /** Sent to since the last look; they may serve no slot yet. */
  const guests = new Set<string>()
  let ranges: readonly Range[] = []
  let refreshing: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let failures = 0
  let closed = false

  const at = (endpoint: Endpoint): Known => {
    const name = nameOf(endpoint)
    const there = known.get(name)
    if (there) return there
    const node = makeNode(endpoint, () => probeChannelOf(ranges.filter((range) => nameOf(range) === name)))
    const made = { endpoint, node }
    known.set(name, made)
    return made
  }

  const serving = (): Node[] => [...new Set(ranges.map(nameOf))].flatMap((name) => known.get(name)?.node ?? [])

  /** Every slot that has another server now was given to one that we know, by one that is there to give it. */
  function handedOver(found: readonly Range[]): boolean {
    const [before, after] = [ownersIn(ranges), ownersIn(found)]
    const lives = (name: string | undefined) => name !== undefined && known.get(name)?.node.commands.run !== undefined
    const served = new Set(before)
    return after.every((name, slot) => name === before[slot] || (lives(before[slot]) && served.has(name)))
  }

  function take({ ranges: found }: View): void {
    const another = shapeOf(found) !== shapeOf(ranges)
    const whole = another && handedOver(found)
    ranges = found
    for (const range of found) at(range)
    const kept = new Set([...found.map(nameOf), ...guests])
    guests.clear()
    for (const [name, { node }] of known) {
      if (kept.has(name)) continue
      known.delete(name)
      node.close()
    }
    if (another) changed(whole)
  }

  /**
   * Those who were asked, until most of them have answered: an election takes most of the masters, so one of them knows of it. `most`
   * is false where fewer did.
   */
  function viewsOf(asked: readonly Known[]): Promise<{ views: View[]; most: boolean; fault: unknown }> {
    return new Promise((resolve) => {
      const views: View[] = []
      let fault: unknown
      let open = asked.length
      const settle = () => {
        const most = views.length > asked.length / 2
        if (most || open === 0) resolve({ views, most, fault })
      }
      settle()
      for (const { node, endpoint } of asked) {
        viewOf(node, endpoint, times.commandMs)
          .then(
            (view) => void views.push(view),
            (error: unknown) => {
              fault = error
            },
          )
          .finally(() => {
            open -= 1
            settle()
          })
      }
    })
  }

  async function look(): Promise<void> {
    const first = await viewsOf([...known.values()])
    const views = [...first.views]
    let { fault } = first
    // Most of those we know may have gone for good; those that the address names stay.
    if (!first.most && !closed) {
      const names = new Set(known.keys())
      const named = await viewsOf(address.hosts.filter((host) => !names.has(nameOf(host))).map(at))
      views.push(...named.views)
      fault ??= named.fault
    }
    if (closed) return
    const latest = latestOf(views.filter((view) => view.ranges.length > 0))
    if (!latest) throw new Unavailable('no node of the Redis Cluster could be asked', { cause: fault })
    take(latest)
  }

  /** Soon, as long as somebody is away: another one may be made the master in its place. */
  function lookLater(found: boolean): void {
    if (closed) return
    clearTimeout(timer)
    const well = found && serving().every(({ commands }) => commands.run !== undefined)
    const pause = well ? times.layoutMs : Math.min(times.retryMs, FIRST_PAUSE_MS * 2 ** Math.min(failures, 10))
    failures = well ? 0 : failures + 1
    timer = setTimeout(() => void refresh().catch(() => undefined), pause).unref()
  }

  let lost = false
  async function lookOnce(): Promise<void> {
    try {
      await look()
      lost = false
      lookLater(true)
    } catch (error) {
      if (!lost && !closed) away(error)
      lost = true
      lookLater(false)
      throw error
    }
  }

  function refresh(): Promise<void> {
    refreshing ??= lookOnce().finally(() => {
      refreshing = undefined
    })
    return refreshing
  }

  return {
    nodeOf(key) {
      const slot = slotOf(key)
      const range = ranges.find(({ from, to }) => slot >= from && slot <= to)
      if (!range) throw new Unavailable('the Redis Cluster serves no such slot, or was not asked yet')
      return at(range).node
    },
    nodeAt(endpoint) {
      guests.add(nameOf(endpoint))
      return at(endpoint).node
    },
    nodes() {
      if (ranges.length === 0) throw new Unavailable('the Redis Cluster was not asked yet')
      return serving()
    },
    endpoints() {
      const all = [...ranges.map(({ host, port }) => ({ host, port })), ...address.hosts]
      return [...new Map(all.map((endpoint) => [nameOf(endpoint), endpoint])).values()]
    },
    refresh,
    close() {
      closed = true
      clearTimeout(timer)
      for (const { node } of known.values()) node.close()
    },
  }
}

/** By slot. */
function ownersIn(ranges: readonly Range[]): (string | undefined)[] {
  const owners = new Array<string | undefined>(SLOTS).fill(undefined)
  for (const range of ranges) owners.fill(nameOf(range), range.from, range.to + 1)
  return owners
}

function probeChannelOf(ranges: readonly Range[]): string | undefined {
  if (ranges.length === 0) return undefined
  // Most nodes serve a good part of the slots, so a few tries do.
  for (let i = 0; i < 100_000; i++) {
    const channel = `probe:{${i}}:`
    const slot = slotOf(channel)
    if (ranges.some(({ from, to }) => slot >= from && slot <= to)) return channel
  }
  return undefined
}
