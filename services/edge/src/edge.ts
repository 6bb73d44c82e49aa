import type { ConnectionId, Registration } from '@chatbox/core'
import { randomId } from '@chatbox/core'
import { clientDecoder, HARD_FRAME_LIMIT } from '@chatbox/protocol'
import { createTimers, type Part } from '@chatbox/runtime'
import { type Connection, type ConnectionHandle, connect } from './connection.ts'
import { contextOf, type EdgeDeps, type EdgeOptions } from './deps.ts'
import { feeds as createFeeds } from './feeds.ts'
import { leave } from './handlers/hello.ts'
import { listen, type Transport } from './transport/listen.ts'
import { errorResponse, upgrade } from './upgrade.ts'

export interface Edge extends Part {
  readonly port: number
}

/** Holds sockets, and nothing that another edge would need. */
export function createEdge(deps: EdgeDeps, options: EdgeOptions = {}): Edge {
  const edge = contextOf(deps, options)
  const { fabric, log, metrics, times, edgeId } = edge
  const connections = new Map<ConnectionId, ConnectionHandle>()
  const feeds = createFeeds(fabric, log)
  const decode = clientDecoder(edge.limits)
  const cleanups: (() => Promise<void>)[] = []
  let transport: Transport | undefined
  let draining = false
  const admit = upgrade(edge, () => draining)

  function gone(connection: Connection): void {
    if (connections.delete(connection.id)) metrics.connections.set(connections.size)
    leave(connection)
  }

  /** A registry that lost its rows is filled again by the edges (S8). */
  async function renew(): Promise<void> {
    if ((await fabric.registry.renew(edgeId)) === 'renewed') return
    log.warn(
      { connections: connections.size },
      'the registry does not know this edge; registering its connections again',
    )
    for (const { connection } of connections.values()) {
      const { member } = connection
      if (!member) continue
      const row: Registration = {
        uid: member.uid,
        connectionId: connection.id,
        deviceId: member.deviceId,
        edgeId,
        since: Date.now(),
      }
      // Those who are in stay in: the cap is for newcomers.
      await fabric.registry.register(row, Number.MAX_SAFE_INTEGER)
    }
  }

  async function start(): Promise<void> {
    await fabric.registry.renew(edgeId)
    cleanups.push(
      await fabric.bus.listen(edgeId, (packet) => connections.get(packet.header.target)?.reply(packet)),
      createTimers().every(times.renewMs, renew, (err) => log.warn({ err }, 'the registry could not be reached')),
    )
    const structures = [
      { name: 'edge_connections', size: () => connections.size, warnAbove: 15_000 },
      { name: 'edge_feeds', size: () => feeds.size, warnAbove: 15_000 },
    ].map((structure) => options.structures?.track(structure))
    cleanups.push(async () => {
      for (const structure of structures) structure?.untrack()
    })

    transport = await listen({
      ...deps.listen,
      path: '/chat/ws',
      maxFrameBytes: HARD_FRAME_LIMIT,
      maxBufferedBytes: edge.outboxLimits.hardBytes * 2,
      idleMs: times.idleMs,
      async handshake(handshake) {
        const admission = await admit(handshake)
        if (!admission.admitted) return { accept: false, response: admission.response }
        return {
          accept: true,
          opened(socket) {
            const handle = connect(socket, {
              edge,
              feeds,
              decode,
              address: handshake.address,
              headerToken: admission.headerToken,
              gone,
            })
            connections.set(handle.id, handle)
            metrics.connections.set(connections.size)
            if (draining) handle.reconnect(comeBackAfter())
            return handle
          },
        }
      },
      http: options.http ?? (async () => errorResponse(404, 'not_found', randomId())),
    })
  }

  const comeBackAfter = () => Math.round(Math.random() * times.spreadMs)

  async function stop(): Promise<void> {
    draining = true
    transport?.stopAccepting()
    // Each is told its own moment, so that not all knock at once (P9).
    for (const handle of [...connections.values()]) handle.reconnect(comeBackAfter())
    for (const clean of cleanups.splice(0)) await clean()
    await feeds.close()
    await fabric.registry
      .leave(edgeId)
      .catch((err) => log.warn({ err }, 'the registry was not told; the lease will run out'))
    transport?.close()
  }

  return {
    name: 'edge',
    start,
    stop,
    drain() {
      draining = true
    },
    addresses: () => (transport ? [`http://${deps.listen.host}:${transport.port}`] : []),
    get port() {
      return transport?.port ?? 0
    },
  }
}
