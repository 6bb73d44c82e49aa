import { rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { MessagePage, SessionPage } from '@chatbox/protocol'
import { temporaryFolder } from '@chatbox/testkit/folders'
import { killAll, type RunningProcess, runNode } from '@chatbox/testkit/process'
import { connectWire, type WireClient, type WireOptions } from '@chatbox/testkit/wire'

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url))

export interface System {
  readonly url: string
  readonly process: RunningProcess
  token(): Promise<string>
  device(deviceId: string, more?: { resume?: string; options?: WireOptions }): Promise<WireClient>
  get<T>(path: string): Promise<T>
  messages(sid: string): Promise<MessagePage['messages']>
  sessions(): Promise<SessionPage['sessions']>
}

const folders: string[] = []

export function dataFolder(): string {
  const folder = temporaryFolder('embedded')
  folders.push(folder)
  return folder
}

export interface SystemOptions {
  readonly data?: string
  readonly env?: NodeJS.ProcessEnv
  readonly port?: number
}

/** The program that `npm start` runs, as a process of its own, on a free port. */
export async function startSystem({ data = dataFolder(), env = {}, port = 0 }: SystemOptions = {}): Promise<System> {
  const process = runNode(MAIN, {
    args: ['--port', String(port), '--data', data],
    env: {
      ...globalThis.process.env,
      CLOCK_SCALE: '0.1',
      RATE_LIMIT_MESSAGES: '10000',
      RATE_LIMIT_REST: '10000',
      RATE_LIMIT_REQUESTS: '10000',
      ...env,
    },
  })
  const [, url = ''] = await process.waitForOutput(/Chatbox is ready: +(\S+)/)
  const at = (path: string) => new URL(path, url)
  let token: string | undefined

  const system: System = {
    url,
    process,
    async token() {
      if (token) return token
      const response = await fetch(at('/chat/demo/token'), {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{}',
      })
      const body = (await response.json()) as { token: string }
      token = body.token
      return token
    },
    async device(deviceId, { resume, options } = {}) {
      const client = await connectWire(url, { waitMs: 30_000, ...options })
      await client.hello({ token: await system.token(), deviceId, ...(resume !== undefined && { resume }) })
      return client
    },
    async get<T>(path: string) {
      const response = await fetch(at(path), { headers: { authorization: `Bearer ${await system.token()}` } })
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`)
      return (await response.json()) as T
    },
    async messages(sid) {
      return (await system.get<MessagePage>(`/chat/sessions/${sid}/messages?limit=100`)).messages
    },
    async sessions() {
      return (await system.get<SessionPage>('/chat/sessions')).sessions
    },
  }
  return system
}

/** Ends every process and removes every folder. */
export async function cleanUp(): Promise<void> {
  await killAll()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

/** Sends a message and waits for its acceptance. */
export async function say(device: WireClient, text: string, more: { sid?: string; clientMessageId?: string } = {}) {
  const clientMessageId = more.clientMessageId ?? `m-${Math.random().toString(36).slice(2)}`
  device.send({ type: 'message.send', text, clientMessageId, ...(more.sid !== undefined && { sid: more.sid }) })
  return device.waitFor('message', (frame) => frame.clientMessageId === clientMessageId)
}
