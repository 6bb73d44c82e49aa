import { randomBytes } from 'node:crypto'
import type { EdgeId } from '@chatbox/core'
import { listOf, textOf } from '../connection/script.ts'
import type { Store } from '../connection/store.ts'
import type { Keys } from '../keys.ts'
import type { RedisClocks } from '../options.ts'
import { type Life, type LivingEdge, livingOf } from './rows.ts'
import { readEdges, touchEdge } from './scripts.ts'

/** Which lives of edges count, as the store last said. */
export interface Edges {
  /** The life that rows of this edge belong to; begun if there is none. */
  lifeOf(edge: EdgeId): Promise<Life>
  renew(edge: EdgeId): Promise<'renewed' | 'lost'>
  leave(edge: EdgeId): Promise<void>
  /** Those of these lives that are over. `now`: not even what was said a moment ago will do. */
  over(lives: readonly Life[], now: boolean): Promise<Life[]>
  close(): void
}

export interface EdgesDeps {
  readonly store: Store
  readonly keys: Keys
  readonly clocks: Pick<RedisClocks, 'edgeLeaseMs' | 'edgesFreshMs'>
}

const freshLife = (): Life => randomBytes(9).toString('base64url')

export function createEdges({ store, keys, clocks }: EdgesDeps): Edges {
  /** By this process's own clock: when each life's lease ends unless it is renewed. */
  let living = new Map<Life, number>()
  let asked = Number.NEGATIVE_INFINITY
  /** Lives of edges that rows were registered for here. */
  const own = new Map<EdgeId, Life>()
  /**
   * Edges whose rows some server may have lost, or have more of than there are: it has begun a new life, with nothing or with what
   * an older file held. All of them are registered anew, under a life of their own.
   */
  const doubtful = new Set<EdgeId>()

  const forget = store.onNewRun(() => {
    for (const edge of own.keys()) doubtful.add(edge)
    own.clear()
  })

  function learn(found: readonly LivingEdge[], at: number): void {
    living = new Map(found.map(({ life, leftMs }) => [life, at + leftMs]))
    asked = at
  }

  async function touch(edge: EdgeId, renews: boolean): Promise<{ known: boolean; life: Life }> {
    const at = performance.now()
    const anew = doubtful.has(edge)
    const args = [edge, clocks.edgeLeaseMs, freshLife(), anew ? 1 : 0, renews ? 1 : 0]
    const [known, all] = listOf(await store.call(touchEdge, [keys.edges], args))
    if (anew) doubtful.delete(edge)
    const found = livingOf(all)
    learn(found, at)
    const life = found.find((entry) => entry.edge === edge)?.life ?? ''
    own.set(edge, life)
    return { known: textOf(known) === '1', life }
  }

  return {
    async lifeOf(edge) {
      const life = own.get(edge)
      if (life !== undefined && (living.get(life) ?? 0) > performance.now()) return life
      return (await touch(edge, false)).life
    },
    async renew(edge) {
      return (await touch(edge, true)).known ? 'renewed' : 'lost'
    },
    async leave(edge) {
      const life = own.get(edge)
      if (life !== undefined) living.delete(life)
      own.delete(edge)
      asked = Number.NEGATIVE_INFINITY
      await store.command(keys.edges, 'HDEL', keys.edges, edge)
    },
    async over(lives, now) {
      const at = performance.now()
      const isOver = (life: Life) => (living.get(life) ?? 0) <= at
      if (!lives.some(isOver) && !(now && at - asked > clocks.edgesFreshMs)) return []
      learn(livingOf(await store.call(readEdges, [keys.edges], [])), performance.now())
      return lives.filter(isOver)
    },
    close: forget,
  }
}
