import { type SessionId, sessionId } from '@chatbox/core'
import { errorBody } from '@chatbox/protocol'
import { signToken } from '@chatbox/runtime'
import type { InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Method } from '../../src/http/route.ts'
import { type Bench, secret, user } from '../fixture.ts'

export interface Asked {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type Ask = (method: Method, url: string, asked?: Asked) => Promise<LightMyRequestResponse>

export const tokenFor = (name: string, ttlMs = 600_000): Promise<string> => signToken({ secret, userId: name, ttlMs })

/** Calls as somebody; without a name as nobody in particular. */
export async function as(b: Pick<Bench, 'storage'>, name?: string): Promise<Ask> {
  const authorization = name === undefined ? {} : { authorization: `Bearer ${await tokenFor(name)}` }
  return (method, url, { body, headers } = {}) =>
    b.storage.http.inject({
      method,
      url,
      headers: { ...authorization, ...headers },
      ...(body !== undefined && { payload: body as NonNullable<InjectOptions['payload']> }),
    })
}

/** What a refusal may say: status and code, and nothing else of it. */
export function refusedWith(response: LightMyRequestResponse): readonly [number, string] {
  return [response.statusCode, errorBody.parse(response.json()).error.code]
}

/** A session of this user with a question and an answer that is done, for each text one. */
export async function conversation(b: Bench, name: string, sid: string, answers: readonly string[] = ['An answer']) {
  const [uid, id] = [user(name), sessionId(sid)]
  for (const [i, text] of answers.entries()) {
    await b.say(uid, id, `Question ${i}`)
    await answerLast(b, name, id, 2 * i + 1, text)
  }
  return id
}

export async function answerLast(b: Bench, name: string, sid: SessionId, seq: number, text: string): Promise<void> {
  const answerId = (await b.conversations.turn(sid, seq))?.answer?.answerId
  if (!answerId) throw new Error(`no answer belongs to ${sid}, ${seq}`)
  const end = { status: 'done' as const, text, endedAt: Date.now() }
  const requestId = answerId as never
  await b.ask({ kind: 'answer.end', uid: user(name), sid, requestId, answerId, attempt: 0, end })
}
