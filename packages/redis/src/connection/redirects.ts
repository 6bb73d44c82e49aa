import { setTimeout as pause } from 'node:timers/promises'
import { Refused } from './faults.ts'
import type { Layout } from './layout.ts'
import type { Node } from './node.ts'

/** Sends to the server that has the key. `asking`: the server was asked for this once, for a key that is on its way to it. */
type Send<T> = (node: Node, asking: boolean) => Promise<T>

/** What a server said about keys that it does not have, or not yet, or no longer all of. It has not done anything. */
export const redirects = (outcome: unknown): outcome is Refused =>
  outcome instanceof Refused && (outcome.code === 'MOVED' || outcome.code === 'ASK' || outcome.code === 'TRYAGAIN')

/** The first pause before the same is asked for again; it doubles. */
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 200

/**
 * Follows the keys while their slot moves from one server of a cluster to another. A script with several keys is refused by both as
 * long as one of its keys is not there (`TRYAGAIN`), which is waited for; no longer than a command may take.
 */
export async function following<T>(layout: Layout, timeoutMs: number, key: string, send: Send<T>): Promise<T> {
  const until = performance.now() + timeoutMs
  let sentTo: Node | undefined
  for (let tries = 0; ; tries++) {
    try {
      return await send(sentTo ?? layout.nodeOf(key), sentTo !== undefined)
    } catch (error) {
      if (!redirects(error)) throw error
      const left = until - performance.now()
      if (left <= 0) throw error
      sentTo = undefined
      if (error.code === 'ASK' && error.target) sentTo = await connectedTo(layout.nodeAt(error.target), left)
      else if (error.code === 'MOVED') await layout.refresh()
      // The first word of it is worth acting upon at once; after that the servers have to agree first.
      if (tries > 0 || error.code === 'TRYAGAIN') {
        await pause(Math.min(left, LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(tries, 10)))
      }
    }
  }
}

async function connectedTo(node: Node, timeoutMs: number): Promise<Node> {
  await node.commands.connected(AbortSignal.timeout(Math.ceil(timeoutMs)))
  return node
}
