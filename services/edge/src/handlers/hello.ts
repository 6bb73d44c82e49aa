import { decodePosition, deviceId, Refusal, type Registration } from '@chatbox/core'
import { type ClientFrameOf, encodeFrame, type ServerFrame } from '@chatbox/protocol'
import type { Identity } from '@chatbox/runtime'
import type { Connection, Member } from '../connection.ts'
import { readyFrame } from '../ready.ts'

/** Who is there, which device, and where it was: verified, registered, subscribed, caught up, then live. */
export async function hello(connection: Connection, frame: ClientFrameOf<'hello'>): Promise<void> {
  const identity = await authenticate(connection, frame)
  if (!identity || connection.closed) return
  const row: Registration = {
    uid: identity.userId,
    connectionId: connection.id,
    deviceId: deviceId(frame.deviceId),
    edgeId: connection.edge.edgeId,
    since: Date.now(),
  }
  if (!(await register(connection, row, frame))) return
  // Events are kept back from the first moment of the subscription until older ones have been sent.
  connection.out.hold()
  const feed = await connection.feeds.join(identity.userId, connection.asMember)
  const member: Member = { identity, uid: identity.userId, deviceId: row.deviceId, feed }
  connection.member = member
  if (connection.closed) return leave(connection)
  connection.expireAt(identity.expiresAt)
  await catchUp(connection, member, frame.resume)
  connection.log.info({ resumed: frame.resume !== undefined }, 'a connection is open')
}

/** Gives up what a connection held, whoever closed it and whenever. Safe to repeat. */
export function leave(connection: Connection): void {
  const { member, edge } = connection
  if (!member) return
  connection.member = undefined
  connection.feeds.leave(member.feed, connection.asMember)
  edge.fabric.registry
    .unregister({ uid: member.uid, connectionId: connection.id })
    .catch((err) => connection.log.warn({ err }, 'a connection was not taken out of the registry'))
}

async function authenticate(connection: Connection, frame: ClientFrameOf<'hello'>): Promise<Identity | undefined> {
  const token = frame.token ?? connection.headerToken
  try {
    if (token === undefined) throw new Refusal('unauthorized')
    return await connection.edge.verify.verify(token)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    connection.log.info({ code: error.code }, 'a token was refused')
    connection.refuse(error, frame)
    await spend(connection)
    connection.close(
      error.code === 'token_expired' ? 'token_expired' : error.code === 'unavailable' ? 'try_again' : 'unauthorized',
    )
    return undefined
  }
}

/** Only handshakes that failed count against their address (R29). */
async function spend({ edge, address, log }: Connection): Promise<void> {
  const { allowed } = await edge.fabric.limiter.consume('handshakes', address)
  if (!allowed) log.warn({ bucket: 'handshakes' }, 'a rate limit was reached')
}

async function register(connection: Connection, row: Registration, frame: { requestId?: string | undefined }) {
  const { registry, bus } = connection.edge.fabric
  const { maxConnections, metrics } = connection.edge
  const registered = await registry.register(row, maxConnections)
  if (registered.kind === 'refused') {
    connection.log.warn({ others: registered.others.length }, 'too many connections of one user')
    connection.fail('connection_limit', frame)
    await bus.signal(row.uid, {
      header: { class: 'signal', type: 'notice' },
      body: encodeFrame(
        notice('connection_limit', 'Another device could not connect: there are too many connections.'),
      ),
    })
    connection.close('connection_limit')
    return false
  }
  for (const old of registered.replaced) {
    metrics.replaced.inc()
    connection.log.info(
      { replaced: old.connectionId, edgeId: old.edgeId },
      'an earlier connection of this device gives way',
    )
    await bus.reply(old.edgeId, {
      header: { target: old.connectionId, type: 'notice', close: 'replaced' },
      body: encodeFrame(notice('replaced', 'This chat was opened anew by the same device.')),
    })
  }
  if (connection.closed) await registry.unregister(row)
  return !connection.closed
}

const notice = (code: 'connection_limit' | 'replaced', message: string): ServerFrame => ({
  type: 'notice',
  code,
  message,
})

/**
 * Subscribed already, so nothing is missed: what the log has after the client's place, then the open answers, then what came meanwhile,
 * without what was sent by then. Each logged event goes out once.
 */
async function catchUp(connection: Connection, member: Member, resume: string | undefined): Promise<void> {
  const { feed } = member
  const after = resume === undefined ? undefined : decodePosition(resume)
  const read = after && (await feed.read(after))
  const { top, frames: open } = await feed.snapshot()
  if (connection.closed) return

  const recovered = read?.kind === 'events'
  if (resume !== undefined && !recovered) connection.edge.metrics.lost.inc({ occasion: 'resume' })
  const missed = recovered ? read.events : []
  // What the log told up to here must not be told again by what was kept back.
  const upTo = recovered ? read.top : top
  const ready = readyFrame(connection, member, {
    top: recovered && after ? after : top,
    recovered,
    resumes: resume !== undefined,
  })
  connection.out.release(
    [encodeFrame(ready), ...missed.map(({ frame }) => frame), ...open],
    ({ position }) => position !== undefined && position.offset <= upTo.offset,
  )
}
