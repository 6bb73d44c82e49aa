import { onTestFinished } from 'vitest'
import { WebSocket } from 'ws'
import { type Chat, type ChatEvents, type ChatOptions, createChat, type Tuning } from '../../src/index.ts'
import { type Peer, type ScriptedServer, scriptedServer } from './server.ts'

/** Short times, so that tests wait for events and not for clocks. */
export const quick: Partial<Tuning> = { backoffBaseMs: 20, backoffCapMs: 80, probeMs: 100, steadyMs: 0 }

type Heard = { readonly [E in keyof ChatEvents]: ChatEvents[E][] }

export interface Observed {
  readonly chat: Chat
  /** All that was heard so far. */
  readonly heard: Heard
  /** How long each wait for the next connection was to be, in ms. */
  readonly delays: readonly number[]
  /** The first event of this kind that fits, heard already or to come. */
  until<E extends keyof ChatEvents>(event: E, fits?: (payload: ChatEvents[E]) => boolean): Promise<ChatEvents[E]>
}

const events = ['state', 'ready', 'reload', 'message', 'answer', 'session', 'typing', 'notice', 'error'] as const

export function observed(server: ScriptedServer, options: Partial<ChatOptions> = {}): Observed {
  const chat = createChat({
    url: server.url,
    token: () => 'token',
    deviceId: 'tab-1',
    socket: (url) => new WebSocket(url),
    random: () => 0.5,
    ...options,
    tuning: { ...quick, ...options.tuning },
  })
  const heard: Heard = {
    state: [],
    ready: [],
    reload: [],
    message: [],
    answer: [],
    session: [],
    typing: [],
    notice: [],
    error: [],
  }
  const keep = <E extends keyof ChatEvents>(event: E) => chat.on(event, (payload) => heard[event].push(payload))
  for (const event of events) keep(event)
  const delays: number[] = []
  chat.on('state', (state) => {
    if (state.kind === 'waiting') delays.push(state.at - Date.now())
  })
  onTestFinished(() => chat.close())
  return {
    chat,
    heard,
    delays,
    until: (event, fits = () => true) =>
      new Promise((resolve) => {
        const found = heard[event].find(fits)
        if (found !== undefined || (event === 'reload' && heard.reload.length > 0)) {
          resolve(found as never)
          return
        }
        const leave = chat.on(event, (payload) => {
          if (!fits(payload)) return
          leave()
          resolve(payload)
        })
      }),
  }
}

export async function server(): Promise<ScriptedServer> {
  const started = await scriptedServer()
  onTestFinished(() => started.stop())
  return started
}

export interface Connected extends Observed {
  readonly server: ScriptedServer
  readonly peer: Peer
}

/** A client that has been let in. */
export async function connected(options: Partial<ChatOptions> = {}): Promise<Connected> {
  const started = await server()
  const client = observed(started, options)
  client.chat.connect()
  const peer = await started.peer()
  await peer.welcome()
  await client.until('ready')
  return { ...client, server: started, peer }
}

/** Whatever the client wanted to send before this has arrived once this has: for showing that something was NOT sent. */
export async function barrier(chat: Chat, peer: Peer): Promise<void> {
  chat.typing('barrier', true)
  await peer.next('typing')
}
