import type { SessionId } from '@chatbox/core'
import { createTimers } from '@chatbox/runtime'
import type { Chains } from './chains.ts'
import type { StoragePolicy, StorageTimes } from './deps.ts'
import { erase } from './handlers/erase.ts'
import { LostPartition, type Work } from './work.ts'

/** Few at a time: nobody waits for it, and people wait for what it would delay. */
const PAGE = 20

/** Erases sessions of the partition that are older than they may be, at once and then on an interval, in the way that users do (R22). */
export function retainPartition(
  work: Work,
  tasks: Chains,
  times: Pick<StorageTimes, 'retentionMs'>,
  { retentionMs: keepMs }: StoragePolicy,
): { stop(): void } {
  if (keepMs === undefined) return { stop: () => undefined }
  const stopping = new AbortController()

  const keep = keepMs
  async function eraseOld(): Promise<void> {
    while (!stopping.signal.aborted) {
      // There is no way back, so one clock that is wrong must not be enough.
      const before = Math.min(work.now(), Date.now()) - keep
      const query = { partition: work.partition, before, limit: PAGE }
      const found = await work.insist('find old sessions', () => work.conversations.erasable(query))
      let failures = 0
      for (const sid of found) {
        // One that can't be erased stands before all that are younger, each time.
        await eraseInLine(sid, before).catch((error: unknown) => {
          failed(error, sid)
          failures += 1
        })
      }
      if (failures > 0 && failures === found.length) return
      if (found.length < PAGE) return
    }
  }

  async function eraseInLine(sid: SessionId, before: number): Promise<void> {
    const session = await work.insist('read session', () => work.conversations.session(sid))
    if (session && !stopping.signal.aborted) await inLine(session.uid, () => eraseIfOld(sid, before))
  }

  /** In line with the user's entries: somebody may have spoken in it meanwhile. */
  const inLine = (uid: string, task: () => Promise<void>) =>
    new Promise<void>((resolve, reject) => tasks.run(uid, () => task().then(resolve, reject)))

  async function eraseIfOld(sid: SessionId, before: number): Promise<void> {
    if (stopping.signal.aborted) return
    const session = await work.insist('read session', () => work.conversations.session(sid))
    if (session && !session.erased && session.lastActivity < before) await erase(work, sid, 'retention')
  }

  const failed = (err: unknown, sid?: SessionId) => {
    if (!stopping.signal.aborted && !(err instanceof LostPartition))
      work.log.warn({ err, sid }, 'old sessions were not erased')
  }
  void eraseOld().catch(failed)
  const stop = createTimers().every(times.retentionMs, eraseOld, failed)
  return {
    stop() {
      stopping.abort()
      void stop()
    },
  }
}
