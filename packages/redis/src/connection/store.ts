import { Unavailable } from '@chatbox/core'
import { parseRedisUrl, type RedisAddress } from './address.ts'
import { type ChannelListener, createChannels } from './channels.ts'
import type { ScriptCall } from './commands.ts'
import { Refused } from './faults.ts'
import { createLayout, type Layout } from './layout.ts'
import { createNode, type Node } from './node.ts'
import { type ConnectionTimes, defaultConnectionTimes } from './options.ts'
import type { Argument, Reply, Script } from './script.ts'

/** One role's Redis: a server, a master behind sentinels, or a cluster. The first key of a call says which server has it. */
export interface Store {
  readonly address: RedisAddress
  readonly ca: string | undefined
  call(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply>
  /** One pipeline per server; each call has its own outcome, in the order of the calls. */
  callAll(calls: readonly ScriptCall[]): Promise<(Reply | Error)[]>
  command(key: string, name: string, ...args: readonly Argument[]): Promise<Reply>
  /** The life of the server that has this key; rejects while there is no connection to it. */
  runAt(key: string): string
  /** The life of the server that this channel is heard from. */
  heardRunAt(channel: string): string | undefined
  subscribe(channel: string, listener: ChannelListener): Promise<() => void>
  nodeOf(key: string): Node
  /** Told when a server has begun a new life: it may have lost what it had. */
  onNewRun(listener: () => void): () => void
  /** Resolves when every server can be asked; rejects when that takes longer than `ms`. */
  connected(ms: number): Promise<void>
  ping(): Promise<void>
  readonly channelCount: number
  close(): Promise<void>
}

export interface StoreEvents {
  /** For the log: what happened to a connection, and why. */
  connection?(what: 'up' | 'down' | 'deaf' | 'moved', reason?: unknown): void
}

export interface StoreOptions {
  readonly times?: Partial<ConnectionTimes>
  /** The authority that signed the servers' certificates, as PEM, where it is none that everybody knows. */
  readonly ca?: string | undefined
}

export function createStore(url: string, { times, ca }: StoreOptions = {}, events: StoreEvents = {}): Store {
  const address = parseRedisUrl(url)
  const clocks = { ...defaultConnectionTimes, ...times }
  const newRun = new Set<() => void>()
  const tell = (what: 'up' | 'down' | 'deaf' | 'moved', reason?: unknown) => events.connection?.(what, reason)
  let layout: Layout
  let closed = false

  const begunAnew = () => {
    for (const listener of newRun) listener()
  }

  const channels = createChannels(() => layout, clocks.lingerMs, clocks.retryMs)

  const refresh = () => {
    if (!closed) layout.refresh().catch((error: unknown) => tell('down', error))
  }

  layout = createLayout({
    address,
    timeoutMs: clocks.commandMs,
    changed() {
      tell('moved')
      channels.rearranged()
      // A replica that was made a master may lag behind, and a node that is new here has no life before to compare with.
      begunAnew()
    },
    makeNode(endpoint, probeChannel) {
      const node: Node = createNode(
        { address, times: clocks, ca, endpoint, probeChannel },
        {
          connected(changed) {
            tell('up')
            if (changed) begunAnew()
          },
          disconnected(reason) {
            tell('down', reason)
            refresh()
          },
          message: (channel, payload) => channels.message(node, channel, payload),
          up: () => channels.up(node),
          moved() {
            refresh()
            // The slot may be back already, and nobody would listen to it any more.
            channels.up(node)
          },
          deaf: () => tell('deaf'),
        },
      )
      return node
    },
  })

  const refreshing = address.kind === 'cluster' ? setInterval(refresh, clocks.layoutMs).unref() : undefined
  refresh()

  /** A server that does not have the key has not done anything: the layout is asked for, and the call sent again. */
  async function following<T>(send: () => Promise<T>): Promise<T> {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof Refused) || error.code !== 'MOVED') throw error
      await layout.refresh()
      return send()
    }
  }

  const keyOf = ({ keys }: Pick<ScriptCall, 'keys'>): string => {
    const [key] = keys
    if (key === undefined) throw new TypeError('a script needs a key to find its server by')
    return key
  }

  async function sendAll(calls: readonly ScriptCall[]): Promise<(Reply | Error)[]> {
    const outcomes: (Reply | Error)[] = calls.map(() => null)
    const byNode = new Map<Node | undefined, number[]>()
    calls.forEach((call, i) => {
      const node = nodeOrNone(keyOf(call))
      const places = byNode.get(node)
      if (places) places.push(i)
      else byNode.set(node, [i])
    })
    const send = async (node: Node | undefined, places: readonly number[]) => {
      const own = places.map((i) => calls[i]).filter((call) => call !== undefined)
      let replies: (Reply | Error)[]
      try {
        if (!node) throw new Unavailable('no server is known for this key')
        replies = await node.commands.callAll(own)
      } catch (error) {
        replies = own.map(() => error as Error)
      }
      places.forEach((place, i) => {
        outcomes[place] = replies[i] ?? null
      })
    }
    await Promise.all([...byNode].map(([node, places]) => send(node, places)))
    return outcomes
  }

  const nodeOrNone = (key: string): Node | undefined => {
    try {
      return layout.nodeOf(key)
    } catch {
      return undefined
    }
  }

  const moved = (outcome: Reply | Error | undefined) => outcome instanceof Refused && outcome.code === 'MOVED'

  return {
    address,
    ca,
    call: (script, keys, args) =>
      following(async () => layout.nodeOf(keyOf({ keys })).commands.call(script, keys, args)),
    async callAll(calls) {
      const outcomes = await sendAll(calls)
      const places = outcomes.flatMap((outcome, i) => (moved(outcome) ? [i] : []))
      if (places.length === 0) return outcomes
      await layout.refresh()
      const again = await sendAll(places.map((i) => calls[i]).filter((call) => call !== undefined))
      places.forEach((place, i) => {
        outcomes[place] = again[i] ?? null
      })
      return outcomes
    },
    command: (key, name, ...args) => following(async () => layout.nodeOf(key).commands.command(name, ...args)),
    runAt(key) {
      const { run } = layout.nodeOf(key).commands
      if (run === undefined) throw new Unavailable('there is no connection to Redis')
      return run
    },
    heardRunAt(channel) {
      const node = nodeOrNone(channel)
      return node?.hasEar ? node.ear().run : undefined
    },
    subscribe: (channel, listener) => channels.subscribe(channel, listener),
    nodeOf: (key) => layout.nodeOf(key),
    onNewRun(listener) {
      newRun.add(listener)
      return () => newRun.delete(listener)
    },
    async connected(ms) {
      const signal = AbortSignal.timeout(ms)
      await layout.refresh()
      await Promise.all(layout.nodes().map(({ commands }) => commands.connected(signal)))
    },
    async ping() {
      await Promise.all(layout.nodes().map(({ commands }) => commands.command('PING')))
    },
    get channelCount() {
      return channels.size
    },
    async close() {
      closed = true
      clearInterval(refreshing)
      channels.close()
      layout.close()
    },
  }
}
