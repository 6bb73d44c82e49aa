import type { RedisAddress } from './address.ts'
import { clusterLayout } from './cluster-layout.ts'
import type { Endpoint } from './faults.ts'
import type { Node } from './node.ts'

/** Which server has which keys. */
export interface Layout {
  /** Throws `Unavailable` where nobody is known to have it. */
  nodeOf(key: string): Node
  /** A server that another one sent us to, which may have no keys of its own yet. */
  nodeAt(endpoint: Endpoint): Node
  /** Those that have keys. Throws `Unavailable` before the first look. */
  nodes(): readonly Node[]
  /** Where they are, as far as it is known, and what the address names. */
  endpoints(): readonly Endpoint[]
  /** Asks the cluster; several that ask at once share the answer. */
  refresh(): Promise<void>
  close(): void
}

export interface LayoutDeps {
  readonly address: RedisAddress
  readonly times: LayoutTimes
  makeNode(endpoint: Endpoint | undefined, probeChannel: () => string | undefined): Node
  /** Keys have other servers now. `whole`: handed over by a server that lives to one that we know, so all of them are there. */
  changed(whole: boolean): void
  /** Nobody could be asked, for the first time since somebody could; it is tried on. */
  away(reason: unknown): void
}

export interface LayoutTimes {
  /** How long a server may take to answer. */
  readonly commandMs: number
  /** How often the layout is looked at. */
  readonly layoutMs: number
  /** The longest pause between two looks while something is away. */
  readonly retryMs: number
}

export const createLayout = (deps: LayoutDeps): Layout =>
  deps.address.kind === 'cluster' ? clusterLayout(deps) : singleLayout(deps)

/** Sentinels are asked by the connection itself, each time it connects. */
function singleLayout({ address, makeNode }: LayoutDeps): Layout {
  const [endpoint] = address.hosts
  const node = makeNode(address.kind === 'single' ? endpoint : undefined, () => 'probe:')
  return {
    nodeOf: () => node,
    nodeAt: () => node,
    nodes: () => [node],
    endpoints: () => address.hosts,
    refresh: async () => undefined,
    close: () => node.close(),
  }
}
