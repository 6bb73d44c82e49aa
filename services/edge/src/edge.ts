import { type ConnectionId, randomId, Unavailable } from '@chatbox/core'
import { clientDecoder, closeCodes, encodeFrame, HARD_FRAME_LIMIT } from '@chatbox/protocol'
import { type Check, networkOf, type Part, trustedAddress } from '@chatbox/runtime'
import { type Connection, connect, type Surroundings } from './connection.ts'
import { contextOf, type EdgeContext, type EdgeDeps, type EdgeOptions } from './deps.ts'
import { disabledUsers } from './disabled.ts'
import { sendAway } from './drain.ts'
import { feeds as createFeeds } from './feeds.ts'
import { leave } from './handlers/hello.ts'
import { createLeftovers } from './leftovers.ts'
import { createOffenders } from './offenders.ts'
import { presence } from './presence.ts'
import { renewal } from './renewal.ts'
import type { Socket, SocketListener } from './socket.ts'
import { strangers as createStrangers } from './strangers.ts'
import type { HttpHandler } from './transport/http.ts'
import { type Handshake, listen, type Transport, type Verdict } from './transport/listen.ts'
import { errorResponse, upgrade } from './upgrade.ts'

export interface Edge extends Part {
  readonly port: number
  /** For readiness: it can let people in. An edge starts without its stores, and becomes ready by itself. */
  readonly check: Check
}

/** Holds sockets, and nothing that another edge would need. */
export function createEdge(deps: EdgeDeps, options: EdgeOptions = {}): Edge {
  const settings = contextOf(deps, options)
  const { fabric, log, metrics, times } = settings
  const connections = new Map<ConnectionId, Connection>()
  const connected = () => [...connections.values()]
  const disabled = disabledUsers(settings, () => {
    for (const connection of connections.values()) connection.closeIfDisabled()
  })
  const leftovers = createLeftovers(fabric.registry)
  const offenders = createOffenders(fabric.limiter)
  const edge: EdgeContext = { ...settings, disabled, leftovers, offenders }
  const present = presence(edge, renewal(edge, connected), (packet) =>
    connections.get(packet.header.target)?.reply(packet),
  )
  const feeds = createFeeds(fabric, log, () => metrics.gaps.inc())
  const strangers = createStrangers(edge.strangersPerAddress)
  const decode = clientDecoder(edge.limits)
  /** Undone in reverse. */
  const cleanups: (() => Promise<void>)[] = []
  const background = new Set<Promise<void>>()
  let transport: Transport | undefined
  let draining = false
  let stopped: Promise<void> | undefined
  const missing = () => (present.listening ? (disabled.known ? undefined : 'disabled') : 'replies')
  const admit = upgrade(edge, strangers, () => (draining ? 'draining' : missing() && 'unready'))

  function gone(connection: Connection): void {
    if (connections.delete(connection.id)) metrics.connections.set(connections.size)
    leave(connection)
  }

  function inBackground(work: Promise<unknown>, failed: (error: unknown) => void): void {
    const tracked: Promise<void> = work.then(() => undefined, failed).finally(() => background.delete(tracked))
    background.add(tracked)
  }

  const around: Surroundings = { edge, feeds, decode, gone, background: inBackground }

  function handshake(asked: Handshake): Verdict {
    const address = networkOf(asked.address)
    const admission = admit({ ...asked, address })
    if (!admission.admitted) return { accept: false, response: admission.response }
    if (admission.admitted === 'later') return { accept: true, opened: (socket) => comeBack(socket, admission.afterMs) }
    const { headerToken } = admission
    return { accept: true, opened: (socket) => opened(socket, address, headerToken) }
  }

  /** A fault of ours is told to nobody but the log, and harms no one else (M2, X4). */
  function handshakeOrFault(asked: Handshake): Verdict {
    try {
      return handshake(asked)
    } catch (err) {
      const requestId = randomId()
      log.error({ err, requestId }, 'a handshake failed')
      return { accept: false, response: errorResponse(500, 'internal', requestId) }
    }
  }

  function opened(socket: Socket, address: string, headerToken: string | undefined): SocketListener {
    const connection = connect(socket, around, { address, headerToken, known: strangers.arrived(address) })
    connections.set(connection.id, connection)
    metrics.connections.set(connections.size)
    return connection
  }

  /** No connection is made of it: there is to be as little work as can be. */
  function comeBack(socket: Socket, afterMs: number): SocketListener {
    socket.send(encodeFrame({ type: 'reconnect', afterMs, reason: 'crowded' }))
    socket.close(closeCodes.try_again.code, 'try_again')
    return { message: () => undefined, drained: () => undefined, closed: () => undefined }
  }

  const answerHttp: HttpHandler = async (request) => {
    const requestId = randomId()
    if (!options.http) return errorResponse(404, 'not_found', requestId)
    try {
      return await options.http(request)
    } catch (err) {
      if (!request.signal.aborted) log.error({ err, requestId }, 'a request failed')
      return errorResponse(500, 'internal', requestId)
    }
  }

  function track(): void {
    const structures = [
      { name: 'edge_connections', size: () => connections.size, warnAbove: 15_000 },
      { name: 'edge_feeds', size: () => feeds.size, warnAbove: 15_000 },
      { name: 'edge_strangers', size: () => strangers.size, warnAbove: 15_000 },
      { name: 'edge_offenders', size: () => offenders.size, warnAbove: 5_000 },
      { name: 'edge_recoveries', size: () => feeds.recoveries, warnAbove: 1_000 },
      { name: 'edge_tokens', size: () => edge.verify.size(), warnAbove: 50_000 },
      { name: 'edge_leftovers', size: () => leftovers.size, warnAbove: 1_000 },
      { name: 'edge_background', size: () => background.size, warnAbove: 15_000 },
    ].map((structure) => options.structures?.track(structure))
    cleanups.push(async () => {
      for (const structure of structures) structure?.untrack()
    })
  }

  async function start(): Promise<void> {
    try {
      await Promise.all([present, disabled].map(async (each) => cleanups.push(await each.start())))
      track()
      transport = await listen({
        ...deps.listen,
        path: '/chat/ws',
        maxFrameBytes: HARD_FRAME_LIMIT,
        maxBufferedBytes: edge.outboxLimits.hardBytes * 2,
        idleMs: times.idleMs,
        addressOf: trustedAddress(options.trustedHops ?? 0, log),
        handshake: handshakeOrFault,
        http: answerHttp,
      })
    } catch (error) {
      await cleanUp()
      throw error
    }
  }

  async function cleanUp(): Promise<void> {
    for (const clean of cleanups.splice(0).reverse()) {
      await clean().catch((err) => log.warn({ err }, 'something was not released; it will run out'))
    }
  }

  async function stopAll(deadline: AbortSignal): Promise<void> {
    draining = true
    transport?.stopAccepting()
    await sendAway(connected(), times, deadline)
    const finished = Promise.all([transport?.answered(), ...background])
    await firstOf(finished, deadline, times.finishMs)
    // What was written in this turn is with the system in the next one.
    await new Promise((resolve) => setImmediate(resolve))
    await firstOf(Promise.all([feeds.close(), cleanUp()]), deadline)
    transport?.close()
  }

  return {
    name: 'edge',
    start,
    stop(deadline?: AbortSignal) {
      stopped ??= stopAll(deadline ?? new AbortController().signal)
      return stopped
    },
    check: {
      name: 'edge',
      async ping() {
        const lacks = missing()
        if (lacks)
          throw new Unavailable(
            `the edge has no ${lacks === 'replies' ? 'ear for replies' : 'list of disabled users'} yet`,
          )
      },
    },
    addresses: () => (transport ? [`http://${deps.listen.host}:${transport.port}`] : []),
    get port() {
      return transport?.port ?? 0
    },
  }
}

/** Waits for the work, but no longer than this. */
async function firstOf(work: Promise<unknown>, deadline: AbortSignal, ms?: number): Promise<void> {
  const over = new AbortController()
  const signal = AbortSignal.any([deadline, over.signal])
  const limit = new Promise<void>((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
  const timer = ms === undefined ? undefined : setTimeout(() => over.abort(), ms)
  await Promise.race([work, limit])
  clearTimeout(timer)
  over.abort()
}
