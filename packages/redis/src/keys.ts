import type { AnswerId, EdgeId, RequestId, UserId } from '@chatbox/core'

/**
 * Names of keys and channels. What is in braces decides the server (in a cluster), so everything of a user is together, and one
 * script can touch it. `uid` is a keyed hash wherever users are sealed (R27); a brace in an unsealed one would cut the tag short.
 */
export const keysFor = (prefix: string) => {
  const tag = (uid: UserId) => `${prefix}:{${uid.replaceAll(/[{}%]/g, (c) => `%${c.charCodeAt(0)}`)}}`
  return {
    ofUser(uid: UserId) {
      const user = tag(uid)
      return {
        meta: `${user}:log`,
        log: `${user}:events`,
        channel: `${user}:live`,
        answers: `${user}:answers`,
        epochs: `${user}:epochs`,
        connections: `${user}:connections`,
        /** What the names of the user's answers begin with, for scripts that find the answers' ids in the store. */
        answerPrefix: `${user}:answer:`,
        chunksPrefix: `${user}:chunks:`,
      }
    },
    answer: (uid: UserId, answerId: AnswerId) => `${tag(uid)}:answer:${answerId}`,
    chunks: (uid: UserId, answerId: AnswerId) => `${tag(uid)}:chunks:${answerId}`,
    edge: (edge: EdgeId) => `${prefix}:edge:{${edge}}`,
    edges: `${prefix}:{edges}`,
    cancels: `${prefix}:{cancels}`,
    disabled: `${prefix}:{disabled}`,
    claims: `${prefix}:{claims}`,
    ofPartition(partition: number) {
      const own = `${prefix}:{p${partition}}`
      return {
        entries: `${own}:entries`,
        tries: `${own}:tries`,
        dead: `${own}:dead`,
        bell: `${own}:bell`,
        outcome: (requestId: RequestId) => `${own}:outcome:${requestId}`,
      }
    },
    jobs: `{${prefix}}`,
    limit: (bucket: string) => `${prefix}:limit:${bucket}`,
  }
}

export type Keys = ReturnType<typeof keysFor>
