import type { SealedConversations } from '@chatbox/core'
import { type Access, find } from '../access.ts'
import { type SealedTurn, turnOf } from '../documents/turn.ts'
import { queries } from '../queries.ts'
import { together } from './together.ts'

interface FirstPage {
  readonly partition: number
  readonly limit: number
}

/** For sweepers, which look at each of their partitions every few seconds and mostly find nothing. */
export function unsettled(access: Access): Pick<SealedConversations, 'unsettledOf'> {
  const { attempt } = access
  const page: SealedConversations['unsettledOf'] = async (partition, limit, after) =>
    (await find(access, queries.unsettledOfPartition(partition, after), { limit })).map(turnOf)

  /** All partitions by one query, as long as all of it fits into one page. */
  async function allAtOnce(asked: readonly FirstPage[]): Promise<SealedTurn[][] | undefined> {
    const most = Math.min(...asked.map(({ limit }) => limit))
    const partitions = [...new Set(asked.map(({ partition }) => partition))]
    const rows = await find(access, queries.unsettledOfPartitions(partitions), { limit: most + 1 })
    if (rows.length > most) return undefined
    const turns = rows.map(turnOf).sort(byPlace)
    return asked.map(({ partition }) => turns.filter((turn) => turn.partition === partition))
  }

  const firstPage = together(access, 'read unsettled turns', async (asked: readonly FirstPage[]) => {
    const found = asked.length > 1 ? await allAtOnce(asked) : undefined
    return found ?? Promise.all(asked.map(({ partition, limit }) => page(partition, limit)))
  })

  return {
    unsettledOf: (partition, limit, after) =>
      after ? attempt('read unsettled turns', () => page(partition, limit, after)) : firstPage({ partition, limit }),
  }
}

const byPlace = (a: SealedTurn, b: SealedTurn): number => a.ts - b.ts || compare(a.sid, b.sid) || a.seq - b.seq

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1)
