import type { Done, Entry, EntrySource, Ingest } from '@chatbox/core'
import { entryAad, outcomeAad } from '../aad.ts'
import type { Owner, Seals } from './seals.ts'

/** A reason is a code; anything else, the text of an error for one, may hold what it stumbled over. */
const REASON = /^[A-Za-z0-9_.-]{1,64}$/

/**
 * An entry that does not open is put aside as `unopenable` before anybody sees it, so that its partition goes on; who asked
 * hears nothing, and asks again under the same id (R9). An outcome that does not open is not known.
 */
export function sealedIngest(ingest: Ingest, seals: Seals): Ingest {
  return {
    async append(entry) {
      return ingest.append({ ...entry, packet: seals.seal(seals.partition(entry.partition), entryAad, entry.packet) })
    },
    async own(partition) {
      return sealedSource(await ingest.own(partition), seals.partition(partition), seals)
    },
    async outcome(partition, requestId) {
      const packet = await ingest.outcome(partition, requestId)
      const opened = packet && seals.open('outcome', seals.outcomes, outcomeAad, packet)
      if (!opened || opened.header.requestId === requestId) return opened
      seals.misplaced('outcome')
      return undefined
    },
    now: () => ingest.now(),
    backlog: (partition) => ingest.backlog(partition),
    deadLetters: (partition) => ingest.deadLetters(partition),
  }
}

function sealedSource(source: EntrySource, owner: Owner, seals: Seals): EntrySource {
  /** Read, not to be seen by anybody, and not yet put aside. */
  let unopenable: string[] = []

  async function putAside(): Promise<void> {
    while (unopenable[0] !== undefined) {
      await source.bury(unopenable[0], 'unopenable')
      unopenable = unopenable.slice(1)
    }
  }
  function openEntry(entry: Entry): Entry | undefined {
    const packet = seals.open('entry', owner, entryAad, entry.packet)
    if (packet) return { ...entry, packet }
    unopenable.push(entry.id)
    return undefined
  }
  const sealOutcome = <T extends Pick<Done, 'outcome'>>(done: T): T =>
    done.outcome ? { ...done, outcome: seals.seal(seals.outcomes, outcomeAad, done.outcome) } : done

  return {
    async read(max, signal) {
      for (;;) {
        // Before the next entries are taken: if this fails, nothing that was read is lost.
        await putAside()
        const { entries, now } = await source.read(max, signal)
        const opened = entries.map(openEntry).filter((entry) => entry !== undefined)
        if (opened.length > 0) return { entries: opened, now }
      }
    },
    remove: (done) => source.remove(done.map(sealOutcome)),
    async bury(id, reason, outcome) {
      const sealed = outcome && seals.seal(seals.outcomes, outcomeAad, outcome)
      return source.bury(id, REASON.test(reason) ? reason : 'unspecified', ...(sealed ? [sealed] : []))
    },
    close: () => source.close(),
  }
}
