import { decodePosition, deviceId, type Position, Refusal, type Registration, sameLog } from '@chatbox/core'
import { type ClientFrameOf, encodeFrame, type ServerFrame } from '@chatbox/protocol'
import type { Identity } from '@chatbox/runtime'
import type { Connection, Member } from '../connection.ts'
import type { Outgoing } from '../outbox.ts'
import { readyFrame } from '../ready.ts'
import { spendHandshake } from './spend.ts'

/** Who is there, which device, and where it was: verified, registered, subscribed, caught up, then live. */
export async function hello(connection: Connection, frame: ClientFrameOf<'hello'>): Promise<void> {
  const { edge } = connection
  const identity = await authenticate(connection, frame)
  if (!identity || connection.ended) return
  if (edge.disabled.has(identity.userId)) return refuseDisabled(connection, frame)
  const after = frame.resume === undefined ? undefined : decodePosition(frame.resume)
  const row: Registration = {
    uid: identity.userId,
    connectionId: connection.id,
    deviceId: deviceId(frame.deviceId),
    edgeId: edge.edgeId,
    since: Date.now(),
  }
  try {
    const registered = await edge.fabric.registry.register(row, edge.maxConnections)
    if (registered.kind === 'refused') return turnAway(connection, row, frame, registered.others.length)
    giveNotice(connection, registered.replaced)
    if (!connection.ended) await join(connection, identity, row, after)
  } finally {
    // It may stand in the registry even where that was not confirmed, or where the connection ended meanwhile.
    if (!connection.member) takeOut(connection, row)
  }
  // The list may have changed while nobody could see whose connection this is.
  connection.closeIfDisabled()
  const { member } = connection
  if (!member) return
  await catchUp(connection, member, frame.resume !== undefined, after)
  if (!connection.ended) connection.log.info({ resumed: frame.resume !== undefined }, 'a connection is open')
}

/** Gives up what a connection held, whoever closed it and whenever. Safe to repeat. */
export function leave(connection: Connection): void {
  const { member } = connection
  if (!member) return
  connection.member = undefined
  connection.feeds.leave(member.feed, connection.asMember)
  takeOut(connection, member.row)
}

async function authenticate(connection: Connection, frame: ClientFrameOf<'hello'>): Promise<Identity | undefined> {
  const token = frame.token ?? connection.headerToken
  try {
    if (token === undefined) throw new Refusal('unauthorized')
    return await connection.edge.verify.verify(token)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { code } = error
    connection.log.info({ code }, 'a token was refused')
    connection.refuse(error, frame)
    connection.close(code === 'token_expired' ? 'token_expired' : code === 'unavailable' ? 'try_again' : 'unauthorized')
    // An expired token was a good one, and keys that can't be had are no fault of whoever asks.
    if (code === 'unauthorized') await spendHandshake(connection, 'token')
    return undefined
  }
}

function refuseDisabled(connection: Connection, frame: { requestId?: string | undefined }): void {
  connection.log.info('a disabled user was refused')
  connection.fail('disabled', frame)
  connection.close('disabled')
}

function turnAway(
  connection: Connection,
  row: Registration,
  frame: { requestId?: string | undefined },
  others: number,
): void {
  connection.log.warn({ others }, 'too many connections of one user')
  connection.fail('connection_limit', frame)
  connection.close('connection_limit')
  const told = notice('connection_limit', 'Another device could not connect: there are too many connections.')
  connection.background(
    connection.edge.fabric.bus.signal(row.uid, {
      header: { class: 'signal', type: 'notice' },
      body: encodeFrame(told),
    }),
    'the other devices were not told of one that could not connect',
  )
}

/** Tells connections of the same device, wherever they are, that they have been replaced (S4). */
export function giveNotice(connection: Connection, replaced: readonly Registration[]): void {
  const { edge, log } = connection
  for (const old of replaced) {
    edge.metrics.replaced.inc()
    log.info({ replaced: old.connectionId, edgeId: old.edgeId }, 'an earlier connection of this device gives way')
    connection.background(
      edge.fabric.bus.reply(old.edgeId, {
        header: { target: old.connectionId, type: 'notice', close: 'replaced' },
        body: encodeFrame(notice('replaced', 'This chat was opened anew by the same device.')),
      }),
      'a connection was not told that it was replaced',
    )
  }
}

async function join(
  connection: Connection,
  identity: Identity,
  row: Registration,
  after: Position | undefined,
): Promise<void> {
  const { out, feeds, asMember } = connection
  // Events are kept back from the first moment of the subscription until older ones have been sent.
  out.hold()
  const feed = await feeds.join(row.uid, asMember, after)
  if (connection.ended) feeds.leave(feed, asMember)
  else connection.member = { identity, uid: row.uid, deviceId: row.deviceId, feed, row }
}

const takeOut = (connection: Connection, { uid, connectionId }: Registration): void =>
  connection.background(
    connection.edge.leftovers.takeOut({ uid, connectionId }),
    'a connection was not taken out of the registry yet',
  )

const notice = (code: 'connection_limit' | 'replaced', message: string): ServerFrame => ({
  type: 'notice',
  code,
  message,
})

/**
 * Subscribed already, so nothing is missed: what the log has after the client's place, then the open answers, then what came meanwhile,
 * without what was sent by then. Each logged event goes out once.
 */
async function catchUp(
  connection: Connection,
  member: Member,
  resumes: boolean,
  after: Position | undefined,
): Promise<void> {
  const { edge, out } = connection
  const read = after && (await member.feed.read(after))
  const { top, frames: open } = await member.feed.snapshot()
  if (connection.ended) return

  const missed = read?.kind === 'events' && fits(read.events, edge.outboxLimits.missedBytes) ? read : undefined
  if (resumes && !missed) edge.metrics.lost.inc({ occasion: 'resume' })
  const ready = readyFrame(connection, member, {
    top: missed && after ? after : top,
    recovered: missed !== undefined,
    resumes,
  })
  // What the log told up to here must not be told again by what was kept back.
  const upTo = missed ? missed.top : top
  out.release(
    [encodeFrame(ready), ...(missed?.events ?? []).map(({ frame }) => frame), ...open],
    ({ position }) => position !== undefined && sameLog(position, upTo) && position.offset <= upTo.offset,
  )
}

/** More than this is not kept in memory for one slow device; it loads again instead. */
const fits = (events: readonly Outgoing[], bytes: number): boolean =>
  events.reduce((sum, { frame }) => sum + frame.byteLength, 0) <= bytes
