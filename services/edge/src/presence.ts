import { setTimeout as pause } from 'node:timers/promises'
import type { ReplyPacket } from '@chatbox/core'
import { backoff, createTimers } from '@chatbox/runtime'
import type { EdgeContext } from './deps.ts'
import type { Renewal } from './renewal.ts'

/** How an edge stands among the others: its lease, and its ear for what is sent to its connections. */
export interface Presence {
  /** Without an ear nobody here could be told that another edge has taken their place. */
  readonly listening: boolean
  /** Tries both once, then goes on trying: an edge starts without its stores. The result gives both up. */
  start(): Promise<() => Promise<void>>
}

export function presence(
  { edgeId, fabric, log, times }: EdgeContext,
  { renew, missedWords }: Renewal,
  reply: (packet: ReplyPacket) => void,
): Presence {
  let leaveEar: (() => Promise<void>) | undefined
  const stopping = new AbortController()
  const unreachable = (err: unknown) => log.warn({ err }, 'the registry could not be reached')

  async function listen(): Promise<void> {
    leaveEar = await fabric.bus.listen(edgeId, reply, missedWords)
  }

  async function listenAtLast(): Promise<void> {
    for (let tries = 0; !stopping.signal.aborted; tries++) {
      try {
        await pause(backoff(tries, { base: 100, max: times.renewMs }), undefined, {
          signal: stopping.signal,
          ref: false,
        })
        return await listen()
      } catch (err) {
        if (!stopping.signal.aborted) log.warn({ err, tries }, 'replies can not be heard yet')
      }
    }
  }

  return {
    get listening() {
      return leaveEar !== undefined
    },
    async start() {
      let trying: Promise<void> | undefined
      await Promise.all([
        renew().catch(unreachable),
        listen().catch((err) => {
          log.warn({ err }, 'replies can not be heard yet')
          trying = listenAtLast()
        }),
      ])
      const stopRenewing = createTimers().every(times.renewMs, renew, unreachable)
      return async () => {
        stopping.abort()
        await Promise.all([stopRenewing(), trying])
        await Promise.all([leaveEar?.(), fabric.registry.leave(edgeId)])
      }
    },
  }
}
