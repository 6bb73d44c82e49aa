import { Readable } from 'node:stream'
import type { z } from 'zod'
import type { Answer } from './route.ts'

export const json = <T>(schema: z.ZodType<T>): Answer<T> => ({
  status: 200,
  content: { 'application/json': schema },
  send: (reply, value) => reply.send(value),
})

export const nothing: Answer<void> = {
  status: 204,
  content: {},
  send: (reply) => reply.code(204).send(),
}

export interface Download {
  readonly type: string
  readonly name: string
  /** Asked for the next piece when there is room for it; told to stop when nobody takes it any more. */
  readonly pieces: AsyncGenerator<string>
  /** Called when it is over, whoever ended it. A generator that nobody has begun does not hear of its end. */
  readonly over: () => void
}

export const download = (content: Answer<Download>['content']): Answer<Download> => ({
  status: 200,
  content,
  send: (reply, { type, name, pieces, over }) =>
    reply
      .header('content-type', `${type}; charset=utf-8`)
      .header('content-disposition', `attachment; filename="${name}"`)
      // One piece ahead: each is a page of the database.
      .send(Readable.from(pieces, { objectMode: true, highWaterMark: 1 }).once('close', over)),
})
