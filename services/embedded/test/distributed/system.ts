import { randomBytes } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { type Fabric, randomId, type Session, type SessionId, sessionId, type Turn, userId } from '@chatbox/core'
import { defaultHashKey } from '@chatbox/crypto'
import type { MessagePage, ServerFrameOf } from '@chatbox/protocol'
import { signToken } from '@chatbox/runtime'
import { killAll, type RunningProcess, runNode } from '@chatbox/testkit/process'
import { connectWire, type WireClient, type WireOptions } from '@chatbox/testkit/wire'
import { type Backend, type BackendSecrets, inProcess } from './backend.ts'

export type { Backend, BackendSecrets } from './backend.ts'

const EDGE = fileURLToPath(new URL('../../../edge/dist/main.js', import.meta.url))
const ORIGIN = 'https://chat.example.org'
/** Clocks at a tenth, unless a test wants them as they are. */
const CLOCK_SCALE = 0.1

const TRIES = 20
const COME_BACK: ReadonlySet<number> = new Set([1006, 1013, 4001])

/** An edge as a process of its own. */
export interface EdgeProcess {
  readonly url: string
  readonly opsUrl: string
  readonly process: RunningProcess
}

/** Storage and worker in this process, and edges beside it, over one Redis. */
export interface Distributed {
  readonly edges: EdgeProcess[]
  /** As storage and worker have it: sealed. */
  readonly fabric: Fabric
  startEdge(env?: NodeJS.ProcessEnv): Promise<EdgeProcess>
  token(user: string): Promise<string>
  /** A socket that has not said hello yet. */
  open(edge: EdgeProcess, options?: WireOptions): Promise<WireClient>
  device(edge: EdgeProcess, user: string, deviceId: string, more?: DeviceOptions): Promise<WireClient>
  /** A session as it is stored. */
  stored(sid: string): Promise<{ session: Session | undefined; turns: Turn[] }>
  /** A session as one who may read it gets it over REST. */
  history(user: string, sid: string): Promise<MessagePage['messages']>
  /** What a request over REST is answered with. */
  rest(user: string, path: string): Promise<{ status: number; body: unknown }>
  /** In the database, and nowhere else. */
  disable(user: string): Promise<void>
  stop(): Promise<void>
}

export interface DeviceOptions {
  /** Whether to come back where a client would. Default true. */
  readonly patient?: boolean
  readonly resume?: string
  readonly options?: WireOptions
}

export interface DistributedOptions {
  readonly redisUrl: string
  /** What storage and worker reach Redis by, where that is another way. */
  readonly backendUrl?: string
  readonly edges?: number
  readonly env?: NodeJS.ProcessEnv
  readonly clockScale?: number
  /** What stands behind the edges. By default storage and worker in this process, on a database file. */
  readonly backend?: (secrets: BackendSecrets) => Promise<Backend>
}

export async function startDistributed(options: DistributedOptions): Promise<Distributed> {
  const { redisUrl, backendUrl = redisUrl, edges: count = 3, clockScale = CLOCK_SCALE } = options
  const secret = randomBytes(48).toString('base64url')
  const key = randomBytes(32)
  const startBackend = options.backend ?? ((secrets) => inProcess(backendUrl, secrets))
  const backend = await startBackend({ secret, key, clockScale })

  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOST: '127.0.0.1',
    PORT: '0',
    OPS_PORT: '0',
    REDIS_URL: redisUrl,
    JWT_SECRET: secret,
    ENCRYPTION_KEY: key.toString('base64'),
    HASH_KEY: Buffer.from(defaultHashKey(key)).toString('base64'),
    WS_ALLOWED_ORIGINS: ORIGIN,
    CLOCK_SCALE: String(clockScale),
    HANDSHAKES_PER_SECOND: '100000',
    DRAIN_DELAY: '0s',
    SHUTDOWN_TIMEOUT: '9s',
    // On a busy machine a hello may miss its half second now and then, and be counted.
    RATE_LIMIT_HANDSHAKES: '100000',
    RATE_LIMIT_MESSAGES: '100000',
    RATE_LIMIT_REQUESTS: '100000',
    ...options.env,
  }
  async function startEdge(more: NodeJS.ProcessEnv = {}): Promise<EdgeProcess> {
    const running = runNode(EDGE, { env: { ...env, ...more }, waitMs: 60_000 })
    const port = async (part: string) => {
      const [, address = ''] = await running.waitForOutput(new RegExp(`"part":"${part}","address":"([^"]+)"`))
      return address
    }
    await running.waitForOutput(/start-up complete/)
    return { process: running, url: await port('edge'), opsUrl: await port('ops') }
  }
  const open = (edge: EdgeProcess, wire: WireOptions = {}) =>
    connectWire(edge.url, { waitMs: 30_000, origin: ORIGIN, ...wire })
  const token = (user: string) => signToken({ secret, userId: user, ttlMs: 3_600_000 })

  async function rest(user: string, path: string) {
    const headers = { authorization: `Bearer ${await token(user)}` }
    return backend.get(path, headers)
  }

  const edges = await Promise.all(Array.from({ length: count }, () => startEdge()))
  return {
    edges,
    fabric: backend.fabric,
    startEdge,
    token,
    open,
    async device(edge, user, deviceId, { resume, options: wire, patient = true } = {}) {
      const hello = { token: await token(user), deviceId, ...(resume !== undefined && { resume }) }
      for (let tries = 1; ; tries += 1) {
        const client = await open(edge, wire)
        try {
          await client.hello(hello)
          return client
        } catch (error) {
          // Clocks at a tenth give half a second for a hello, which a busy machine may miss: it comes back, as clients do.
          if (!patient || tries === TRIES || !COME_BACK.has(client.end?.code ?? 0)) throw error
        }
      }
    },
    async stored(id) {
      const sid: SessionId = sessionId(id)
      const turns = await backend.conversations.turns(sid, { after: 0, limit: 1_000 })
      return { session: await backend.conversations.session(sid), turns }
    },
    rest,
    async history(user, sid) {
      const messages: MessagePage['messages'] = []
      for (;;) {
        const path = `/chat/sessions/${sid}/messages?limit=100&after=${messages.at(-1)?.seq ?? 0}`
        const { status, body } = await rest(user, path)
        if (status !== 200) throw new Error(`${path} was answered with ${status}`)
        const page = body as MessagePage
        messages.push(...page.messages)
        if (!page.more) return messages
      }
    },
    disable: (user) => backend.disabledUsers.set(userId(user), true),
    async stop() {
      await killAll()
      await backend.stop()
    },
  }
}

/** Sends a message and waits for its acceptance. */
export async function say(
  device: WireClient,
  text: string,
  { clientMessageId = `m-${randomId()}`, ...more }: { sid?: string; clientMessageId?: string; modelId?: string } = {},
) {
  device.send({ type: 'message.send', text, clientMessageId, ...more })
  return device.waitFor('message', (frame) => frame.clientMessageId === clientMessageId)
}

/** Refusals of what came too late or may have been taken: clients ask again, under the same id (R9). */
const ASK_AGAIN: ReadonlySet<string> = new Set(['expired', 'unavailable'])

/** The same, asked again where a machine that is busy was too slow. */
export async function sayUntilTaken(device: WireClient, text: string, more: { sid?: string; modelId?: string } = {}) {
  const clientMessageId = `m-${randomId()}`
  for (;;) {
    const from = device.frames.length
    const taken = say(device, text, { ...more, clientMessageId })
    const refused = device.waitFor('error', (error) => error.clientMessageId === clientMessageId, from)
    // One of the two is waited for in vain.
    taken.catch(() => undefined)
    refused.catch(() => undefined)
    const answer = await Promise.race([taken, refused])
    if (answer.type === 'message') return answer
    if (!ASK_AGAIN.has(answer.code)) throw new Error(`a message was refused: ${answer.code}`)
  }
}

/** The place up to which a device has seen the log. */
export const placeOf = ({ frames }: WireClient): string =>
  frames.map((frame) => ('at' in frame ? frame.at : undefined)).findLast((at) => at !== undefined) ?? ''

/** How each answer has ended on a device: once, with nothing behind its end but the same end, told again (R8). */
export function endsOf(frames: WireClient['frames']): Map<string, ServerFrameOf<'answer.done'>> {
  const ends = new Map<string, ServerFrameOf<'answer.done'>>()
  for (const frame of frames) {
    if (!('answerId' in frame)) continue
    const { answerId, type } = frame
    const end = ends.get(answerId)
    if (end && !isDeepStrictEqual({ ...frame, at: end.at }, end))
      throw new Error(`${type} came behind the end of ${answerId}`)
    if (type === 'answer.done') ends.set(answerId, frame)
  }
  return ends
}
