import { type AnswerRef, type Answers, answerId, Unavailable, type UserId } from '@chatbox/core'
import { freshLogId } from '../bus/bus.ts'
import { listOf, numberOf, type Reply, textOf } from '../connection/script.ts'
import type { Store } from '../connection/store.ts'
import type { Keys } from '../keys.ts'
import type { RedisBounds, RedisClocks } from '../options.ts'
import { packetBytes } from '../packets.ts'
import { chunkOutcomes } from './append.ts'
import { closeAnswer, fenceSession, forgetSession } from './closing-scripts.ts'
import { cancelAnswer, inspectAnswer, readCancelled, snapshotAnswers } from './reading-scripts.ts'
import { closedAnswerOf, epochsOf, openAnswerOf, recordOf, wordOf } from './replies.ts'
import { appendChunk, beginAnswer, endAnswer, mergeChunks } from './writing-scripts.ts'

export interface AnswersDeps {
  readonly store: Store
  readonly keys: Keys
  readonly clocks: Pick<RedisClocks, 'idleMs' | 'endedMs'>
  readonly bounds: Pick<RedisBounds, 'logEvents' | 'answerBytes'>
  readonly onError: (error: unknown) => void
}

export function createAnswers({ store, keys, clocks, bounds, onError }: AnswersDeps): Answers {
  /** The record, its text, and the index that names it. */
  const recordKeys = ({ uid, answerId: id }: AnswerRef) =>
    [keys.answer(uid, id), keys.chunks(uid, id), keys.ofUser(uid).answers] as const
  const prefixes = (uid: UserId) => {
    const { answerPrefix, chunksPrefix } = keys.ofUser(uid)
    return [answerPrefix, chunksPrefix] as const
  }

  const tell = (error: unknown) => {
    if (!(error instanceof Unavailable)) onError(error)
  }

  return {
    async begin(ref, attempt, epoch, announce) {
      const { uid, sid, answerId: id, seq } = ref
      const { epochs, meta, log, channel, answerPrefix } = keys.ofUser(uid)
      const args = [id, sid, seq, attempt, epoch, announce.header.class, packetBytes(announce), freshLogId()]
      const rest = [bounds.logEvents, clocks.idleMs, answerPrefix]
      const names = [...recordKeys(ref), epochs, meta, log, channel]
      const { reply } = await store.callIn(beginAnswer, names, (run) => [...args, run, ...rest])
      return wordOf(reply, ['begun', 'stale', 'fenced', 'ended'])
    },
    async append(chunks) {
      const calls = chunks.map(({ ref, attempt, index, chunk }) => ({
        script: appendChunk,
        keys: [...recordKeys(ref), keys.ofUser(ref.uid).channel],
        args: [ref.answerId, attempt, index, packetBytes(chunk), bounds.answerBytes, clocks.idleMs],
      }))
      return chunkOutcomes(await store.callAll(calls), onError)
    },
    async merge(ref, attempt, from, upTo, segment) {
      const [answer, text] = recordKeys(ref)
      const args = [attempt, from, upTo, packetBytes(segment), bounds.answerBytes]
      return numberOf(await store.call(mergeChunks, [answer, text], args)) === 1
    },
    async cancel(ref) {
      const { answerId: id, sid, seq } = ref
      await store.call(cancelAnswer, recordKeys(ref), [id, sid, seq, clocks.endedMs])
      // The channel may be on another server, which may be away; the flag stands, and workers read flags each second (R18).
      await store.command(keys.cancels, 'SPUBLISH', keys.cancels, id).catch(tell)
    },
    async cancelled(refs) {
      const replies = await store.callAll(
        refs.map(({ uid, answerId: id }) => ({ script: readCancelled, keys: [keys.answer(uid, id)], args: [] })),
      )
      const errors = replies.filter((reply) => reply instanceof Error)
      if (errors.length > 0 && errors.length === replies.length) throw errors[0]
      for (const error of errors) tell(error)
      // A server that is away is asked again in a second, and must not hide the flags of the others.
      return replies.map((reply) => !(reply instanceof Error) && numberOf(reply) === 1)
    },
    async onCancel(listener) {
      const leave = await store.subscribe(keys.cancels, {
        message: (payload) => {
          try {
            listener(answerId(payload.toString('utf8')))
          } catch (error) {
            onError(error)
          }
        },
        // Flags are read all the time, for signals that were missed.
        gap: () => undefined,
      })
      return async () => leave()
    },
    async end(ref, attempt, end) {
      const reply = await store.call(endAnswer, recordKeys(ref), [attempt, packetBytes(end), clocks.endedMs])
      return wordOf(reply, ['ended', 'stale', 'gone'])
    },
    async inspect(refs) {
      const replies = await store.callAll(
        refs.map(({ uid, answerId: id }) => ({ script: inspectAnswer, keys: [keys.answer(uid, id)], args: [] })),
      )
      return replies.map((reply) => recordOf(known(reply)))
    },
    async snapshot(uid) {
      const { meta, log, answers, epochs, channel } = keys.ofUser(uid)
      const args = [freshLogId(), clocks.idleMs, ...prefixes(uid)]
      const { reply, run } = await store.callIn(snapshotAnswers, [meta, log, answers, epochs, channel], () => args)
      const [id, top, owners, open] = listOf(reply)
      return {
        top: { log: textOf(id), run, offset: numberOf(top) },
        epochs: epochsOf(owners),
        open: listOf(open).map((answer) => openAnswerOf(uid, answer)),
      }
    },
    async close(ref) {
      const { uid, sid, answerId: id, seq } = ref
      return closedAnswerOf(uid, await store.call(closeAnswer, recordKeys(ref), [id, sid, seq, clocks.endedMs]))
    },
    async fence(uid, sid, epoch) {
      const { epochs, answers, channel } = keys.ofUser(uid)
      const args = [sid, epoch, clocks.idleMs, clocks.endedMs, ...prefixes(uid)]
      const closed = listOf(await store.call(fenceSession, [epochs, answers, channel], args))
      return closed.map((one) => closedAnswerOf(uid, one))
    },
    async forget(uid, sid) {
      const { answers, channel } = keys.ofUser(uid)
      await store.call(forgetSession, [answers, channel], [sid, clocks.endedMs, ...prefixes(uid)])
    },
  }
}

function known(reply: Reply | Error): Reply {
  if (reply instanceof Error) throw reply
  return reply
}
