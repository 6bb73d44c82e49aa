import { isDeepStrictEqual } from 'node:util'
import { sessionViewOf } from '@chatbox/core'
import type { Roamer } from '../distributed/roamer.ts'
import type { Distributed } from '../distributed/system.ts'

/**
 * What is wrong with what devices were told of their sessions as a whole: the last of it is what is stored, and none is older than what
 * was told before (R3, R6). Nothing may be under way any more.
 */
export async function faultsOfRows(system: Distributed, roamers: readonly Roamer[]): Promise<string[]> {
  const faults: string[] = []
  for (const { user, accepted, logged, losses } of roamers) {
    if (losses > 0) continue
    const sids = new Set([...accepted.values()].map(({ sid }) => sid))
    for (const sid of sids) {
      const told = logged.flatMap((frame) => (frame.type === 'session.updated' && frame.sid === sid ? [frame] : []))
      if (told.some(({ rev }, i) => rev < (told[i - 1]?.rev ?? 0))) {
        faults.push(`${user}: ${sid} went back in ${told.map(({ rev }) => rev).join(' ')}`)
      }
      const { session } = await system.stored(sid)
      const last = told.at(-1)?.session
      if (!session || !isDeepStrictEqual(last, sessionViewOf(session))) {
        faults.push(`${user}: ${sid} is stored at ${session?.rev}, and shown as it was at ${last?.rev}`)
      }
    }
  }
  return faults
}
