import { setTimeout as pause } from 'node:timers/promises'
import { Unavailable } from '@chatbox/core'
import { parseRedisUrl } from './address.ts'
import { type ChannelListener, createChannels } from './channels.ts'
import type { ScriptCall } from './commands.ts'
import { evictionOf } from './eviction.ts'
import { type Endpoint, noConnection } from './faults.ts'
import { createLayout, type Layout } from './layout.ts'
import { createNode, type Node } from './node.ts'
import { type ConnectionTimes, defaultConnectionTimes, type Server } from './options.ts'
import { following, redirects } from './redirects.ts'
import type { Argument, Reply, Script } from './script.ts'

/** One role's Redis: a server, a master behind sentinels, or a cluster. The first key of a call says which server has it. */
export interface Store {
  readonly server: Server
  /** The servers that are known by now, and those that the address names. */
  endpoints(): readonly Endpoint[]
  call(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply>
  /** For what depends on the server's life: `args` is told the one that it is sent to, which is the one that answers. */
  callIn(
    script: Script,
    keys: readonly string[],
    args: (run: string) => readonly Argument[],
  ): Promise<{ readonly reply: Reply; readonly run: string }>
  /** One pipeline per server; each call has its own outcome, in the order of the calls. */
  callAll(calls: readonly ScriptCall[]): Promise<(Reply | Error)[]>
  command(key: string, name: string, ...args: readonly Argument[]): Promise<Reply>
  /** The life of the server that has this key; rejects while there is no connection to it. */
  runAt(key: string): string
  /** The life of the server that this channel is heard from. */
  heardRunAt(channel: string): string | undefined
  subscribe(channel: string, listener: ChannelListener): Promise<() => void>
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
  /** For the log, at each connection: the server throws keys away when its memory is full, by this policy. */
  evicting?(policy: string): void
}

export interface StoreOptions extends Partial<Pick<Server, 'ca' | 'sentinel'>> {
  readonly times?: Partial<ConnectionTimes>
}

/** How often a start looks for servers that are not there yet. */
const FIND_MS = 50

export function createStore(url: string, { times, ca, sentinel }: StoreOptions = {}, events: StoreEvents = {}): Store {
  const address = parseRedisUrl(url)
  const clocks = { ...defaultConnectionTimes, ...times }
  const server: Server = { address, times: clocks, ca, sentinel }
  const newRun = new Set<() => void>()
  const tell = (what: 'up' | 'down' | 'deaf' | 'moved', reason?: unknown) => events.connection?.(what, reason)
  let layout: Layout
  let closed = false

  const begunAnew = () => {
    for (const listener of newRun) listener()
  }

  const channels = createChannels(() => layout, clocks.lingerMs, clocks.retryMs)

  async function lookAtEviction({ commands }: Node): Promise<void> {
    // Who can't be asked is asked again with the next connection.
    const policy = await evictionOf(commands).catch(() => undefined)
    if (policy !== undefined) events.evicting?.(policy)
  }

  // What fails is told by the layout, which goes on trying.
  const refresh = (): Promise<void> => (closed ? Promise.resolve() : layout.refresh().catch(() => undefined))

  layout = createLayout({
    address,
    times: clocks,
    changed(whole) {
      tell('moved')
      channels.rearranged()
      // A replica that was made a master may lag behind.
      if (!whole) begunAnew()
    },
    away: (reason) => tell('down', reason),
    makeNode(endpoint, probeChannel) {
      const node: Node = createNode(
        { server, endpoint, probeChannel },
        {
          connected(changed) {
            tell('up')
            if (changed) begunAnew()
            void lookAtEviction(node)
          },
          disconnected(reason) {
            tell('down', reason)
            void refresh()
          },
          message: (channel, payload) => channels.message(node, channel, payload),
          up: () => channels.up(node),
          moved() {
            void refresh().then(() => channels.takenFrom(node))
          },
          deaf: () => tell('deaf'),
        },
      )
      return node
    },
  })
  void refresh()

  const follow = <T>(key: string, send: (node: Node, asking: boolean) => Promise<T>): Promise<T> =>
    following(layout, clocks.commandMs, key, send)

  const keyOf = ({ keys }: Pick<ScriptCall, 'keys'>): string => {
    const [key] = keys
    if (key === undefined) throw new TypeError('a script needs a key to find its server by')
    return key
  }

  const call: Store['call'] = (script, keys, args) =>
    follow(keyOf({ keys }), (node, asking) => node.commands.call(script, keys, args, asking))

  function runOf({ commands: { run } }: Node): string {
    if (run === undefined) throw noConnection(undefined)
    return run
  }

  async function sendAll(calls: readonly ScriptCall[]): Promise<(Reply | Error)[]> {
    const outcomes: (Reply | Error)[] = calls.map(() => null)
    const byNode = new Map<Node | undefined, number[]>()
    calls.forEach((each, i) => {
      const node = nodeOrNone(keyOf(each))
      const places = byNode.get(node)
      if (places) places.push(i)
      else byNode.set(node, [i])
    })
    const send = async (node: Node | undefined, places: readonly number[]) => {
      const own = places.map((i) => calls[i]).filter((each) => each !== undefined)
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

  /** Those of one key one after another, as they would have come. */
  async function sendAgain(calls: readonly ScriptCall[], outcomes: (Reply | Error)[]): Promise<void> {
    const byKey = new Map<string, number[]>()
    outcomes.forEach((outcome, i) => {
      const each = calls[i]
      if (!redirects(outcome) || !each) return
      const key = keyOf(each)
      byKey.set(key, [...(byKey.get(key) ?? []), i])
    })
    if (byKey.size === 0) return
    await refresh()
    const inTurn = async (places: readonly number[]) => {
      for (const place of places) {
        const each = calls[place]
        if (each) outcomes[place] = await call(each.script, each.keys, each.args).catch((error: Error) => error)
      }
    }
    await Promise.all([...byKey.values()].map(inTurn))
  }

  return {
    server,
    endpoints: () => layout.endpoints(),
    call,
    callIn: (script, keys, args) =>
      follow(keyOf({ keys }), async (node, asking) => {
        const run = runOf(node)
        return { reply: await node.commands.call(script, keys, args(run), asking), run }
      }),
    async callAll(calls) {
      const outcomes = await sendAll(calls)
      await sendAgain(calls, outcomes)
      return outcomes
    },
    command: (key, name, ...args) => follow(key, (node, asking) => node.commands.command(name, args, asking)),
    runAt: (key) => runOf(layout.nodeOf(key)),
    heardRunAt(channel) {
      const node = nodeOrNone(channel)
      return node?.hasEar ? node.ear().run : undefined
    },
    subscribe: (channel, listener) => channels.subscribe(channel, listener),
    onNewRun(listener) {
      newRun.add(listener)
      return () => newRun.delete(listener)
    },
    async connected(ms) {
      const signal = AbortSignal.timeout(ms)
      await found(layout, signal)
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
      channels.close()
      layout.close()
    },
  }
}

/** Tries until it is too late. */
async function found(layout: Layout, signal: AbortSignal): Promise<void> {
  const late = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  let fault: unknown
  while (!signal.aborted) {
    const look = layout.refresh().then(
      () => true,
      (error: unknown) => {
        fault = error
        return false
      },
    )
    if (await Promise.race([look, late])) return
    await pause(FIND_MS, undefined, { ref: false })
  }
  throw new Unavailable('Redis was not found in time', { cause: fault })
}
