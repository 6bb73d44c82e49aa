import { randomUUID } from 'node:crypto'
import { answerId, clientMessageId, type Session, type SessionId, sessionId, type UserId, userId } from '@chatbox/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Model, modelConversations } from './model.ts'
import { allPages, someAnswer, someEnd, someLine, somePartition, someQuestion, someSession, someStub } from './rows.ts'
import { type Step, someSteps } from './steps.ts'
import type { Texts, TextTurn } from './store.ts'

export function modelContract(store: () => Texts): void {
  describe('any sequence of calls', () => {
    it('does and shows the same as the simplest store there is', async () => {
      await fc.assert(
        fc.asyncProperty(someSteps, async (steps) => {
          const [world, model] = [worldOf(), modelConversations()]
          for (const step of steps) {
            const call = await callOf(world, model, step)
            if (!call) continue
            const [does, should] = [await call(store()), await call(model)]
            expect(does, JSON.stringify(step)).toEqual(should)
          }
          expect(await everything(world, store())).toEqual(await everything(world, model))
        }),
        { numRuns: 60 },
      )
    }, 180_000)
  })
}

/** The few ids of one sequence, which no other uses. */
function worldOf() {
  const prefix = randomUUID().slice(0, 13)
  const partitions = [somePartition(), somePartition()]
  return {
    sids: [0, 1, 2].map((i) => sessionId(`${prefix}-${i}`)),
    uids: [0, 1].map((i) => userId(`${prefix}-u${i}`)),
    /** Of the users, once they are forgotten. */
    aliases: [0, 1].map((i) => userId(`${prefix}-alias${i}`)),
    cmids: Array.from({ length: 13 }, (_, i) => clientMessageId(`${prefix}-c${i}`)),
    /** In the order in which they were first asked for. */
    answers: [] as { sid: SessionId; seq: number; id: ReturnType<typeof answerId> }[],
    partitions,
    partitionOf: (session: number) => partitions[session % 2] ?? 0,
    newAnswerId: () => answerId(randomUUID()),
    erased: new Set<SessionId>(),
  }
}
type World = ReturnType<typeof worldOf>
type Call = (conversations: Model) => Promise<unknown>

const at = <V>(list: readonly V[], i: number): V => {
  const value = list[i % list.length]
  if (value === undefined) throw new Error('the list is empty')
  return value
}

/** Undefined where a step means nothing, such as a line in a session that is not there. */
async function callOf(world: World, model: Model, step: Step): Promise<Call | undefined> {
  switch (step.kind) {
    case 'create': {
      const { session, user, lastActivity } = step
      const partition = world.partitionOf(session)
      const row = someSession({ sid: at(world.sids, session), uid: at(world.uids, user), partition, lastActivity })
      return (conversations) => conversations.createSession(row)
    }
    case 'change': {
      const sid = at(world.sids, step.session)
      const { lastActivity, erased, name: nm, preview, shared } = step
      const rev = ((await model.session(sid))?.rev ?? 0) - (step.stale ? 1 : 0)
      const share = shared === undefined ? {} : { share: shared ? { hash: hashOf(sid), until: lastActivity } : null }
      // What has no key any more gets no name.
      const change = { lastActivity, erased, ...share, ...(!world.erased.has(sid) && { nm, preview }) }
      return (conversations) => conversations.changeSession(sid, rev, change)
    }
    case 'insert':
      return insertOf(world, model, step)
    case 'erase': {
      const sid = at(world.sids, step.session)
      if (!(await model.session(sid))) return undefined
      world.erased.add(sid)
      const { nextSeq: seq } = await model.totals(sid)
      const { ts, unsettled } = step
      const stub = someStub({ sid, seq, ts, unsettled, partition: world.partitionOf(step.session) })
      return (conversations) => conversations.eraseTurns(sid, stub)
    }
    case 'forget': {
      const [uid, alias] = [at(world.uids, step.user), at(world.aliases, step.user)]
      return (conversations) => conversations.forgetUser(uid, alias)
    }
    case 'settle-line':
      return (conversations) => conversations.settle(at(world.sids, step.session), step.seq)
    default:
      return world.answers.length > 0 ? answerCallOf(world, model, step) : undefined
  }
}

async function insertOf(world: World, model: Model, step: Step & { kind: 'insert' }): Promise<Call | undefined> {
  const sid = at(world.sids, step.session)
  // A store may refuse what is said in an erased session, or take it behind the stub.
  if (!(await model.session(sid)) || world.erased.has(sid)) return undefined
  const { lastSeq, nextSeq } = await model.totals(sid)
  const seq = step.taken && lastSeq > 0 ? lastSeq : nextSeq
  const of = {
    ...{ sid, seq, partition: world.partitionOf(step.session), content: step.content, ts: step.ts },
    authorId: at(world.uids, step.author),
    ...(step.cmid !== undefined && { cmid: at(world.cmids, step.cmid) }),
  }
  if (!step.asks) return (conversations) => conversations.insertTurn(someLine(of))
  const id = world.newAnswerId()
  world.answers.push({ sid, seq, id })
  const question = someQuestion({ ...of, answer: someAnswer({ answerId: id }) })
  return (conversations) => conversations.insertTurn(question)
}

type AnswerStep = Exclude<Step, { kind: 'create' | 'change' | 'insert' | 'erase' | 'forget' | 'settle-line' }>

async function answerCallOf(world: World, model: Model, step: AnswerStep): Promise<Call | undefined> {
  const { sid, seq, id } = at(world.answers, step.answer)
  const current = (await model.turnByAnswerId(sid, id))?.answer
  const { attempt = 0, n = 0 } = current?.answerId === id ? current : {}
  switch (step.kind) {
    case 'begin':
      return (conversations) => conversations.beginAttempt(sid, id, attempt + step.off, step.cause)
    case 'end': {
      const { status, text, thread, tokens, cost, notices, endedAt } = step
      const counted = {
        inputTokens: tokens ?? 0,
        outputTokens: 1,
        estimated: true,
        ...(cost !== undefined && { cost }),
      }
      const usage = tokens === undefined ? {} : { usage: counted }
      const { usage: _, ...end } = someEnd({
        ...{ status, text, endedAt },
        ...(thread !== undefined && { thread }),
        ...(notices && { notices }),
      })
      const only = { any: undefined, known: attempt, other: attempt + 1 }[step.attempt]
      return (conversations) => conversations.endAnswer(sid, id, { ...end, ...usage }, only)
    }
    case 'pending':
      return (conversations) => conversations.changePending(sid, id, { n: n + step.off }, step.change)
    case 'rate':
      return (conversations) => conversations.rateAnswer(sid, id, step.feedback)
    case 'settle':
      return (conversations) => conversations.settle(sid, seq, step.asLine ? undefined : id)
    case 'supersede': {
      const next = someAnswer({ answerId: world.newAnswerId() })
      world.answers.push({ sid, seq, id: next.answerId })
      return (conversations) => conversations.supersede(sid, seq, id, next)
    }
  }
}

/** All that can be read of one world, by every query there is, in small pages. */
async function everything(world: World, conversations: Model) {
  const { sids, cmids, answers, partitions } = world
  const users: readonly UserId[] = [...world.uids, ...world.aliases]
  return {
    sessions: await each(sids, (sid) => conversations.session(sid)),
    lists: await each(users, (uid) =>
      allPages<Session>(2, (after) => conversations.listSessions(uid, { limit: 2, ...(after && { after }) })),
    ),
    totals: await each(sids, (sid) => conversations.totals(sid)),
    down: await each(sids, (sid) =>
      allPages<TextTurn>(2, (last) => conversations.turns(sid, { limit: 2, ...(last && { before: last.seq }) })),
    ),
    up: await each(sids, (sid) =>
      allPages<TextTurn>(2, (last) =>
        conversations.turns(sid, { limit: 2, after: last ? last.seq + last.width - 1 : 0 }),
      ),
    ),
    single: await each(sids, async (sid) => each([1, 2, 3, 4, 5], async (seq) => conversations.turn(sid, seq))),
    sent: await each(users, (uid) => each(cmids, (cmid) => conversations.turnByClientMessageId(uid, cmid))),
    answers: await each(answers, ({ sid, id }) => conversations.turnByAnswerId(sid, id)),
    unsettled: await each(partitions, (partition) =>
      allPages<TextTurn>(2, (last) => conversations.unsettledOf(partition, 2, last)),
    ),
    spent: await each(users, (uid) => each([1, 2, 3, 4, 5], (since) => conversations.tokensSince(uid, since))),
    shared: await each(sids, (sid) => conversations.sessionByShare(hashOf(sid))),
    erasable: await each(users, async (uid) => (await conversations.erasable({ uid, limit: 9 })).sort()),
    idle: await each(partitions, (partition) =>
      each([1, 2, 3, 4, 5], async (before) => (await conversations.erasable({ partition, before, limit: 9 })).sort()),
    ),
  }
}

const hashOf = (sid: SessionId): string => `hash of ${sid}`

const each = <V, R>(values: readonly V[], read: (value: V) => Promise<R>): Promise<R[]> => Promise.all(values.map(read))
