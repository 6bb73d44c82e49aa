import { partitionOf, sessionId, userId } from '@chatbox/core'
import { expect } from 'vitest'
import type { MessageFrame, Roamer } from '../distributed/roamer.ts'
import { alive, type StorageProcess } from './backend.ts'
import type { Whole, WholeOptions } from './scene.ts'

/** Somebody who says something only where a test wants it, so that nothing follows by itself that would mend what went wrong before. */
export interface Witness {
  readonly roamer: Roamer
  readonly user: string
  readonly sid: string
  readonly partition: number
  /** Resolves when it is accepted. */
  say(text: string): Promise<MessageFrame>
  /** Resolves when everything has followed from what was said. */
  atRest(): Promise<void>
  /** What the session is called, as far as the device has heard. */
  readonly name: string | undefined
  /** How many frames had come when the device heard that the session is erased. */
  readonly erasedAfter: number | undefined
}

export async function witness(all: Whole, name: string, patience: WholeOptions['patience']): Promise<Witness> {
  const user = alone(all, name)
  const roamer = all.join(user, `${user}-phone`)
  await expect.poll(() => roamer.connected, patience).toBe(true)
  const { sid } = await roamer.say('good morning')
  const updates = () => roamer.frames.flatMap((frame) => (frame.type === 'session.updated' ? [frame.session] : []))

  const itself: Witness = {
    roamer,
    user,
    sid,
    partition: partitionOf(userId(user), 64),
    say: (text) => roamer.say(text, sid),
    async atRest() {
      const turns = () => all.backend.conversations.turns(sessionId(sid), { after: 0, limit: 100 })
      await expect.poll(async () => (await turns()).filter(({ unsettled }) => unsettled), patience).toEqual([])
    },
    get name() {
      return updates().at(-1)?.name
    },
    get erasedAfter() {
      const at = roamer.frames.findIndex((frame) => frame.type === 'session.updated' && frame.session.erased)
      return at < 0 ? undefined : at
    },
  }
  await itself.atRest()
  return itself
}

/** Nobody else is in their partition: an owner that is out of date would hear so from somebody else's message first. */
function alone({ roamers }: Whole, name: string): string {
  const taken = new Set(roamers.map(({ user }) => partitionOf(userId(user), 64)))
  for (let n = 1; ; n += 1) {
    const user = `${name}-${n}`
    if (!taken.has(partitionOf(userId(user), 64))) return user
  }
}

/** What a session's devices were told of it after they were told that it is erased: nothing (R22). */
export const toldAfterErasure = ({ roamer, sid, erasedAfter }: Witness): string[] =>
  roamer.frames
    .slice(erasedAfter ?? 0)
    .flatMap((frame) => ('sid' in frame && frame.sid === sid && frame.type !== 'session.updated' ? [frame.type] : []))

/** What a replica has asked the database to insert for a session, from one of its commands on. */
export const insertsFor = ({ wires }: StorageProcess, sid: string, from = 0): Record<string, unknown>[] =>
  wires.mongo.commands
    .slice(from)
    .flatMap(({ name, body }) => (name === 'insert' && body.insert === 'messages' ? body.documents : []))
    .filter((row) => row.sid === sid)

export const living = ({ backend }: Whole): StorageProcess[] =>
  backend.storages.filter(({ process: { pid } }) => alive(pid))

/** Who has the partition of somebody who says something now, and the replicas that have not, when no partition is on its way to another. */
export async function ownerOf(
  all: Whole,
  { sid, say, atRest }: Witness,
  patience: WholeOptions['patience'],
): Promise<{ owner: StorageProcess; others: StorageProcess[] }> {
  const shares = async () => [...(await all.backend.leases.replicas()).values()]
  const fair = living(all).map(() => 64 / living(all).length)
  await expect.poll(shares, patience).toEqual(fair)
  const { clientMessageId } = await say('who reads this?')
  await atRest()
  const isOwner = (storage: StorageProcess) => insertsFor(storage, sid).some(({ cmid }) => cmid === clientMessageId)
  const [owner] = living(all).filter(isOwner)
  if (!owner) throw new Error('the replica that has written it is not there any more')
  return { owner, others: living(all).filter((storage) => storage !== owner) }
}

/** The status that a request is answered with over REST; undefined where nobody answers. */
export async function statusOfRequest(
  { system }: Whole,
  { url }: StorageProcess,
  { user, sid }: Witness,
  method: 'PATCH' | 'DELETE',
  body?: object,
): Promise<number | undefined> {
  const headers = {
    authorization: `Bearer ${await system.token(user)}`,
    ...(body && { 'content-type': 'application/json' }),
  }
  const asked = fetch(new URL(`/chat/sessions/${sid}`, url), {
    method,
    headers,
    ...(body && { body: JSON.stringify(body) }),
  })
  return asked.then(
    ({ status }) => status,
    () => undefined,
  )
}
