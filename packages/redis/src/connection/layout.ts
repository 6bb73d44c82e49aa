import { Unavailable } from '@chatbox/core'
import calculateSlot from 'cluster-key-slot'
import type { RedisAddress } from './address.ts'
import type { Node } from './node.ts'
import { listOf, numberOf, type Reply, textOf } from './script.ts'

/** Which server has which keys. */
export interface Layout {
  nodeOf(key: string): Node
  nodes(): readonly Node[]
  /** Asks the cluster; several that ask at once share the answer. */
  refresh(): Promise<void>
  close(): void
}

export interface LayoutDeps {
  readonly address: RedisAddress
  readonly timeoutMs: number
  makeNode(endpoint: Endpoint | undefined, probeChannel: () => string | undefined): Node
  /** Keys may have other servers now. */
  changed(): void
}

export interface Endpoint {
  readonly host: string
  readonly port: number
}

interface Range extends Endpoint {
  readonly from: number
  readonly to: number
}

/** Only the part in braces counts, where there is one. */
const slotOf = (key: string): number => calculateSlot(key)

export const createLayout = (deps: LayoutDeps): Layout =>
  deps.address.kind === 'cluster' ? clusterLayout(deps) : singleLayout(deps)

/** Sentinels are asked by the connection itself, each time it connects. */
function singleLayout({ address, makeNode }: LayoutDeps): Layout {
  const [endpoint] = address.hosts
  const node = makeNode(address.kind === 'single' ? endpoint : undefined, () => 'probe:')
  return {
    nodeOf: () => node,
    nodes: () => [node],
    refresh: async () => undefined,
    close: () => node.close(),
  }
}

function clusterLayout({ address, timeoutMs, makeNode, changed }: LayoutDeps): Layout {
  const nodes = new Map<string, Node>()
  let ranges: readonly Range[] = []
  let refreshing: Promise<void> | undefined
  let closed = false

  const nameOf = ({ host, port }: Endpoint) => `${host}:${port}`

  const nodeAt = (endpoint: Endpoint): Node => {
    const name = nameOf(endpoint)
    const known = nodes.get(name)
    if (known) return known
    const node = makeNode(endpoint, () => probeChannelOf(ranges.filter((range) => nameOf(range) === name)))
    nodes.set(name, node)
    return node
  }

  function take(found: readonly Range[]): void {
    const before = JSON.stringify(ranges)
    ranges = found
    for (const range of found) nodeAt(range)
    const named = new Set(found.map(nameOf))
    for (const [name, node] of nodes) {
      if (named.has(name)) continue
      nodes.delete(name)
      node.close()
    }
    if (JSON.stringify(ranges) !== before) changed()
  }

  async function look(): Promise<void> {
    // Whoever is connected first; in the end those that the address names, for all of the others may have gone for good.
    const known = [...nodes.values()].sort(
      (a, b) => Number(b.commands.run !== undefined) - Number(a.commands.run !== undefined),
    )
    const asked = new Set([...known, ...address.hosts.map(nodeAt)])
    let fault: unknown
    for (const node of asked) {
      try {
        await node.commands.connected(AbortSignal.timeout(timeoutMs))
        const found = rangesOf(await node.commands.command('CLUSTER', 'SLOTS'))
        if (closed) return
        if (found.length > 0) return take(found)
      } catch (error) {
        fault = error
      }
    }
    throw new Unavailable('no node of the Redis Cluster could be asked', { cause: fault })
  }

  return {
    nodeOf(key) {
      const slot = slotOf(key)
      const range = ranges.find(({ from, to }) => slot >= from && slot <= to)
      if (!range) throw new Unavailable('the Redis Cluster serves no such slot, or was not asked yet')
      return nodeAt(range)
    },
    nodes: () => [...nodes.values()],
    refresh() {
      refreshing ??= look().finally(() => {
        refreshing = undefined
      })
      return refreshing
    },
    close() {
      closed = true
      for (const node of nodes.values()) node.close()
    },
  }
}

function rangesOf(reply: Reply): Range[] {
  return listOf(reply).map((entry) => {
    const [from, to, master] = listOf(entry)
    const [host, port] = listOf(master)
    return { from: numberOf(from), to: numberOf(to), host: textOf(host), port: numberOf(port) }
  })
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
