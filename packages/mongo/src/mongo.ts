import { type Audit, type DisabledUsers, type Leases, type SealedConversations, Unavailable } from '@chatbox/core'
import type { Access } from './access.ts'
import { attempts, unavailable, within } from './attempts.ts'
import { collectionsOf } from './collections.ts'
import { connect, connected } from './connect.ts'
import { StoreError } from './errors.ts'
import { faultOf, judge } from './faults.ts'
import { gate } from './gate.ts'
import { lifetime } from './lifetime.ts'
import { faultsOf, type IndexFault, unmigrated } from './migrate.ts'
import { type MongoOptions, settingsOf } from './options.ts'
import { answers } from './store/answers.ts'
import { audit } from './store/audit.ts'
import { disabledUsers } from './store/disabled.ts'
import { erasure } from './store/erasure.ts'
import { keys } from './store/keys.ts'
import { leases } from './store/leases.ts'
import { sessionChanges, sessions } from './store/sessions.ts'
import { spent } from './store/spent.ts'
import { turnChanges } from './store/turn-changes.ts'
import { rowsByAnswer, turns } from './store/turns.ts'
import { unsettled } from './store/unsettled.ts'

export interface MongoCounts {
  /** Commands that wrote several rows, or could have. */
  readonly commits: number
  /** Writes that were in them. */
  readonly writes: number
  /** Things that were tried again. */
  readonly retries: number
}

export interface Mongo {
  readonly conversations: SealedConversations
  readonly leases: Leases
  readonly disabledUsers: DisabledUsers
  readonly audit: Audit
  readonly counts: MongoCounts
  /** What is missing of the indexes, or differs. Until nothing is, every call is refused with `Unavailable`, and pings say what. */
  check(): Promise<readonly IndexFault[]>
  /** Waits for what is under way, and closes the connections. `conversations.close` does the same. */
  close(): Promise<void>
}

/**
 * Sessions, turns, leases, disabled users and the audit trail in MongoDB. What resolves is in the journals of a majority. It connects when it is first
 * used, and again by itself: a server that is away is `Unavailable`, time and again, until it is back.
 */
export function openMongo(options: MongoOptions): Mongo {
  const settings = settingsOf(options)
  const client = connect(options, settings)
  const db = client.db(options.database)
  const life = lifetime(() => client.close())
  const indexesInPlace = gate(() => connected(client).then(() => faultsOf(db)))
  const counts = { retries: 0 }
  const [writes, reads] = [
    { groups: 0, calls: 0 },
    { groups: 0, calls: 0 },
  ]

  const attempt = attempts({
    answerMs: settings.answerMs,
    onRetry(retry) {
      counts.retries += 1
      options.onRetry?.(retry)
    },
  })

  const access: Access = {
    collections: collectionsOf(db),
    settings,
    writes,
    reads,
    limited: { maxTimeMS: settings.serverMs },
    attempt: (what, work) =>
      attempt(what, async (time) => {
        await indexesInPlace.pass().catch((error: unknown) => {
          throw error instanceof StoreError ? new Unavailable(error.message, { cause: error }) : error
        })
        return work(time)
      }),
  }

  /** Once, because whoever asks wants to know how it is now. */
  async function ask<T>(what: string, question: () => Promise<T>): Promise<T> {
    try {
      return await within(settings.answerMs, what, question())
    } catch (error) {
      if (error instanceof Unavailable || judge(error) === 'fault') throw faultOf(error)
      throw unavailable(what, error)
    }
  }

  async function ping(): Promise<void> {
    const faults = await indexesInPlace.look()
    if (faults.length > 0) throw unmigrated(faults)
    await db.command({ ping: 1 })
  }

  const [changeSession, changeTurn, rowByAnswer] = [sessionChanges(access), turnChanges(access), rowsByAnswer(access)]
  const { insertTurn, ...otherTurns } = turns(access, rowByAnswer)
  const { session, ...otherSessions } = sessions(access, changeSession)
  const conversations = life.guarded({
    ...{ session, insertTurn },
    ...otherSessions,
    ...otherTurns,
    ...answers(access, { session, rowByAnswer, change: changeTurn }),
    ...spent(access),
    ...unsettled(access),
    ...keys(access, changeSession, changeTurn),
    ...erasure(access, insertTurn),
    ping: () => ask('answer', ping),
  })

  return {
    conversations: { ...conversations, close: life.close },
    leases: life.guarded(leases(access, options.now)),
    disabledUsers: life.guarded(disabledUsers(access)),
    audit: life.guarded(audit(access)),
    get counts() {
      return { commits: writes.groups, writes: writes.calls, retries: counts.retries }
    },
    ...life.guarded({ check: () => ask('list its indexes', indexesInPlace.look) }),
    close: life.close,
  }
}
