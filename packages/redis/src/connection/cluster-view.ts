import type { Endpoint } from './faults.ts'
import type { Node } from './node.ts'
import { listOf, numberOf, type Reply, textOf } from './script.ts'

export interface Range extends Endpoint {
  readonly from: number
  readonly to: number
}

/** What one node says the cluster looks like. */
export interface View {
  /** The highest that it has heard of: elections and moves of slots raise it. */
  readonly epoch: number
  /** It reaches most of the others, and all slots are served. */
  readonly ok: boolean
  readonly ranges: readonly Range[]
}

/** Rejects where it does not answer, or when it cannot be connected to right now. */
export async function viewOf(node: Node, at: Endpoint, timeoutMs: number): Promise<View> {
  await node.commands.connected(AbortSignal.timeout(timeoutMs), true)
  const [info, slots] = await Promise.all([
    node.commands.command('CLUSTER', ['INFO']),
    node.commands.command('CLUSTER', ['SLOTS']),
  ])
  const said = textOf(info)
  return {
    epoch: Number(/^cluster_current_epoch:(\d+)/m.exec(said)?.[1] ?? 0),
    ok: /^cluster_state:ok/m.test(said),
    ranges: rangesOf(slots, at),
  }
}

/**
 * The view of the node that knows most. One that was cut off goes on believing in what was before: a master was elected by most of the
 * others meanwhile, who raised the epoch.
 */
export function latestOf(views: readonly View[]): View | undefined {
  const shapes = views.map(({ ranges }) => shapeOf(ranges))
  const shared = ({ ranges }: View) => shapes.filter((shape) => shape === shapeOf(ranges)).length
  return [...views].sort((a, b) => b.epoch - a.epoch || Number(b.ok) - Number(a.ok) || shared(b) - shared(a))[0]
}

/** The same for the same layout, in whatever order it was told. */
export const shapeOf = (ranges: readonly Range[]): string =>
  ranges
    .map(({ from, to, host, port }) => `${from}-${to} ${host} ${port}`)
    .sort()
    .join('\n')

function rangesOf(reply: Reply, at: Endpoint): Range[] {
  return listOf(reply).map((entry) => {
    const [from, to, master] = listOf(entry)
    const [host, port] = listOf(master)
    return { from: numberOf(from), to: numberOf(to), host: hostOf(host, at), port: numberOf(port) }
  })
}

/** A node that does not know its own address is where it was asked. */
function hostOf(host: Reply | undefined, at: Endpoint): string {
  const text = host === null ? '' : textOf(host)
  return text === '' || text === '?' ? at.host : text
}
