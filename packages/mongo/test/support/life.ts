import {
  type AnswerEnd,
  answerId,
  chained,
  clientMessageId,
  type Lease,
  replicaId,
  requestId,
  userId,
} from '@chatbox/core'
import type { Mongo } from '@chatbox/mongo'
import { sealedQuestion, sealedSession, sealedTurn } from '@chatbox/testkit/rows'

type Calls = { readonly [name: string]: () => Promise<unknown> }

/** The ids of one life, for the same life to be led in two databases. */
export function someLife() {
  const session = sealedSession({ nm: new Uint8Array([1, 2]) })
  const question = sealedQuestion(session.sid, 1, { authorId: session.uid, cmid: clientMessageId('c-1') })
  const line = sealedTurn(session.sid, 3, { authorId: session.uid, cmid: clientMessageId('c-2') })
  const next = { ...question.answer, answerId: answerId('the-next') }
  const record = { ts: 1, actor: 'user', action: 'session.erased', sid: session.sid }
  const first = chained(3, undefined, { ...record, requestId: requestId('r-1') })
  const second = chained(3, first, { ...record, requestId: requestId('r-2'), detail: { messages: 3 } })
  return {
    ...{ session, question, line, next },
    share: { hash: `hash of ${session.sid}`, until: 7 },
    owner: replicaId('replica-1'),
    uid: userId('ada@example.org'),
    entries: [first, second] as const,
  }
}
export type Life = ReturnType<typeof someLife>

export const END: AnswerEnd<Uint8Array> = {
  status: 'done',
  text: new Uint8Array([7, 7, 7]),
  usage: { inputTokens: 3, outputTokens: 4, estimated: false },
  endedAt: 99,
}

/** Everything that writes, one after the other, in the order in which a session lives. */
export function writesOf({ conversations, leases, disabledUsers, audit }: Mongo, life: Life): Calls {
  const { session, question, line, next, owner, uid, entries } = life
  const { sid } = session
  const { answerId } = question.answer
  const lease = (gen: number): Lease => ({ partition: 3, gen, owner })
  const [first, second] = entries
  return {
    createSession: () => conversations.createSession(session),
    insertTurn: () => conversations.insertTurn(question),
    'insertTurn, of width 1': () => conversations.insertTurn(line),
    changeSession: () => conversations.changeSession(sid, 0, { msgCount: 3, rts: [5], share: life.share }),
    changePending: () => conversations.changePending(sid, answerId, { n: 0 }, { n: 1, due: 50 }),
    beginAttempt: () => conversations.beginAttempt(sid, answerId, 0, 'fault'),
    endAnswer: () => conversations.endAnswer(sid, answerId, END, 1),
    rateAnswer: () => conversations.rateAnswer(sid, answerId, { rating: 'up', comment: new Uint8Array([8]), ts: 100 }),
    settle: () => conversations.settle(sid, 1, answerId),
    supersede: () => conversations.supersede(sid, 1, answerId, next),
    'endAnswer, whatever the attempt': () => conversations.endAnswer(sid, next.answerId, END),
    changeKey: () => conversations.changeKey(sid, session.key, new Uint8Array([9, 9]), 'k-2'),
    async resealTurn() {
      const turn = await conversations.turn(sid, 1)
      return turn && conversations.resealTurn(turn, { ...turn, content: new Uint8Array([6]) })
    },
    resealNames: () => conversations.resealNames(sid, session, { nm: new Uint8Array([5]) }),
    eraseKey: () => conversations.eraseKey(sid),
    'eraseTurns, its line and then its rows': () =>
      conversations.eraseTurns(sid, sealedTurn(sid, 4, { event: 'erased' })),
    'changeSession, that says so': () => conversations.changeSession(sid, 2, { erased: true }),
    'forgetUser, as author and then as owner': () => conversations.forgetUser(session.uid, uid),
    partitionCount: () => leases.partitionCount(64),
    acquire: () => leases.acquire(3, owner, 60_000),
    renew: () => leases.renew(lease(1), 60_000),
    release: () => leases.release(lease(1)),
    'acquire, again': () => leases.acquire(3, owner, 60_000),
    attend: () => leases.attend(owner, 60_000),
    leave: () => leases.leave(owner),
    'set, to disabled': () => disabledUsers.set(uid, true),
    'set, to enabled': () => disabledUsers.set(uid, false),
    append: () => audit.append(first),
    'append, once more': () => audit.append(second),
  }
}

/** Everything that reads. */
export function readsOf({ conversations, leases, disabledUsers, audit }: Mongo, life: Life): Calls {
  const { session, question, line, next, share } = life
  const { sid, uid } = session
  return {
    session: () => conversations.session(sid),
    sessionByShare: () => conversations.sessionByShare(share.hash),
    listSessions: () => conversations.listSessions(uid, { limit: 5 }),
    turn: () => conversations.turn(sid, 1),
    turnByClientMessageId: () => conversations.turnByClientMessageId(line.authorId, clientMessageId('c-2')),
    turnByAnswerId: () => conversations.turnByAnswerId(sid, question.answer.answerId),
    'turnByAnswerId, the current one': () => conversations.turnByAnswerId(sid, next.answerId),
    turns: () => conversations.turns(sid, { limit: 5 }),
    'turns, upward': () => conversations.turns(sid, { limit: 5, after: 0 }),
    totals: () => conversations.totals(sid),
    unsettledOf: () => conversations.unsettledOf(0, 5),
    tokensSince: () => conversations.tokensSince(uid, 0),
    'erasable, of a user': () => conversations.erasable({ uid, limit: 5 }),
    'erasable, of a partition': () => conversations.erasable({ partition: 0, before: 5, limit: 5 }),
    keysInUse: () => conversations.keysInUse(),
    keyedBy: () => conversations.keyedBy('k-1', 5),
    replicas: () => leases.replicas(),
    list: () => disabledUsers.list(),
    last: () => audit.last(3),
    read: () => audit.read(3, 0, 5),
    ping: () => conversations.ping(),
  }
}
