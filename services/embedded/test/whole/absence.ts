import { sessionId, userId } from '@chatbox/core'
import { expect } from 'vitest'
import type { EdgeProcess } from '../distributed/system.ts'
import { type Probing, probing } from './probes.ts'
import type { Whole, WholeOptions } from './scene.ts'

/** What is told within this, whatever a store does (P8, O1). */
export const TOLD_WITHIN_MS = 5_000
export const UNREADY_WITHIN_MS = 2_000

export interface Sent {
  readonly user: string
  readonly clientMessageId: string
  /** Everything that was said of it, the first word first. */
  readonly words: { readonly code: string; readonly retryable: boolean; readonly afterMs: number }[]
}

/** One who sends something new whenever the last was answered, each time in another new session or always in the same one. */
export interface Sender {
  readonly user: string
  readonly sent: readonly Sent[]
  /** Until then; resolves when the last one was answered. */
  sendUntil(end: number): Promise<void>
}

export async function sender(
  { system }: Whole,
  edge: EdgeProcess,
  user: string,
  session: 'new ones' | 'its own',
): Promise<Sender> {
  const device = await system.device(edge, user, `${user}-phone`)
  device.send({ type: 'message.send', text: 'good morning', clientMessageId: `${user}-before`, modelId: 'demo-quick' })
  const { sid } = await device.waitFor('message')
  const sent: Sent[] = []
  const [from, byId] = [new Map<string, number>(), new Map<string, Sent>()]
  let taken = device.frames.length
  device.socket.on('message', () => {
    for (const frame of device.frames.slice(taken)) {
      if (frame.type !== 'error') continue
      const { code, retryable, clientMessageId = '' } = frame
      byId
        .get(clientMessageId)
        ?.words.push({ code, retryable, afterMs: performance.now() - (from.get(clientMessageId) ?? 0) })
    }
    taken = device.frames.length
  })

  return {
    user,
    sent,
    async sendUntil(end) {
      for (let i = 0; performance.now() < end; i += 1) {
        const clientMessageId = `${user}-${i}`
        const one: Sent = { user, clientMessageId, words: [] }
        sent.push(one)
        byId.set(clientMessageId, one)
        from.set(clientMessageId, performance.now())
        device.send({
          type: 'message.send',
          text: `is anybody there? ${i}`,
          clientMessageId,
          ...(session === 'its own' && { sid }),
        })
        await device.waitFor('error', (frame) => frame.clientMessageId === clientMessageId)
      }
    },
  }
}

/** Liveness and readiness of each replica, asked from now on. */
export const probesOf = ({ backend }: Whole, since: number) =>
  backend.storages.map((storage) => ({
    liveness: probing(storage, 'healthz', since),
    readiness: probing(storage, 'readyz', since),
  }))

/** Alive all the time, and not ready from the second second on; nobody who asked went without an answer (O1). */
export function expectAliveAndUnready(liveness: Probing, readiness: Probing, awayMs: number): void {
  expect(liveness.answers.length).toBeGreaterThan(awayMs / 200)
  expect([...new Set(liveness.answers.map(({ status }) => status))]).toEqual([200])
  const { answers } = readiness
  expect(answers.length).toBeGreaterThan(awayMs / 200)
  const unready = answers.findIndex(({ status }) => status === 503)
  expect(answers[unready]?.answeredAt).toBeLessThan(UNREADY_WITHIN_MS)
  expect([...new Set(answers.slice(unready).map(({ status }) => status))]).toEqual([503])
}

/** What was on its way has had its time: nothing waits for its owner any more. */
export async function drained({ backend }: Whole, patience: WholeOptions['patience']): Promise<void> {
  const { ingest } = backend.fabric
  const waiting = async () => {
    const backlogs = await Promise.all(Array.from({ length: 64 }, (_, partition) => ingest.backlog(partition)))
    return backlogs.reduce((sum, backlog) => sum + backlog.waiting, 0)
  }
  await expect.poll(waiting, patience).toBe(0)
}

/** How often each message of a user is stored, by its client message id. */
export async function storedOf({ backend }: Whole, user: string): Promise<Map<string, number>> {
  const stored = new Map<string, number>()
  for (const { sid } of await backend.conversations.listSessions(userId(user), { limit: 100 })) {
    for (const { cmid } of await backend.conversations.turns(sessionId(sid), { after: 0, limit: 100 })) {
      if (cmid !== undefined) stored.set(cmid, (stored.get(cmid) ?? 0) + 1)
    }
  }
  return stored
}
