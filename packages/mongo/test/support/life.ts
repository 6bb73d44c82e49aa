import { type AnswerEnd, answerId, clientMessageId, type Lease, replicaId, userId } from '@chatbox/core'
import type { Mongo } from '@chatbox/mongo'
import { sealedQuestion, sealedSession, sealedTurn } from '@chatbox/testkit/rows'

type Calls = { readonly [name: string]: () => Promise<unknown> }

/** The ids of one life, for the same life to be led in two databases. */
export function someLife() {
  const session = sealedSession({ nm: new Uint8Array([1, 2]) })
  const question = sealedQuestion(session.sid, 1, { cmid: clientMessageId('c-1') })
  const line = sealedTurn(session.sid, 3, { cmid: clientMessageId('c-2') })
  const next = { ...question.answer, answerId: answerId('the-next') }
  return { session, question, line, next, owner: replicaId('replica-1'), uid: userId('ada@example.org') }
}
export type Life = ReturnType<typeof someLife>

const END: AnswerEnd<Uint8Array> = {
  status: 'done',
  text: new Uint8Array([7, 7, 7]),
  usage: { inputTokens: 3, outputTokens: 4, estimated: false },
  endedAt: 99,
}

/** Everything that writes, one after the other, in the order in which a session lives. */
export function writesOf({ conversations, leases, disabledUsers }: Mongo, life: Life): Calls {
  const { session, question, line, next, owner, uid } = life
  const { sid } = session
  const { answerId } = question.answer
  const lease = (gen: number): Lease => ({ partition: 3, gen, owner })
  return {
    createSession: () => conversations.createSession(session),
    insertTurn: () => conversations.insertTurn(question),
    'insertTurn, of width 1': () => conversations.insertTurn(line),
    changeSession: () => conversations.changeSession(sid, 0, { msgCount: 3, rts: [5] }),
    changePending: () => conversations.changePending(sid, answerId, { n: 0 }, { n: 1, due: 50 }),
    beginAttempt: () => conversations.beginAttempt(sid, answerId, 0, 'fault'),
    endAnswer: () => conversations.endAnswer(sid, answerId, END, 1),
    supersede: () => conversations.supersede(sid, 1, answerId, next),
    'endAnswer, whatever the attempt': () => conversations.endAnswer(sid, next.answerId, END),
    changeKey: () => conversations.changeKey(sid, session.key, new Uint8Array([9, 9])),
    eraseKey: () => conversations.eraseKey(sid),
    'eraseTurns, its line and then its rows': () =>
      conversations.eraseTurns(sid, sealedTurn(sid, 4, { event: 'erased' })),
    partitionCount: () => leases.partitionCount(64),
    acquire: () => leases.acquire(3, owner, 60_000),
    renew: () => leases.renew(lease(1), 60_000),
    release: () => leases.release(lease(1)),
    'acquire, again': () => leases.acquire(3, owner, 60_000),
    'set, to disabled': () => disabledUsers.set(uid, true),
    'set, to enabled': () => disabledUsers.set(uid, false),
  }
}

/** Everything that reads. */
export function readsOf({ conversations, leases, disabledUsers }: Mongo, life: Life): Calls {
  const { session, question, line, next } = life
  const { sid, uid } = session
  return {
    session: () => conversations.session(sid),
    listSessions: () => conversations.listSessions(uid, { limit: 5 }),
    turn: () => conversations.turn(sid, 1),
    turnByClientMessageId: () => conversations.turnByClientMessageId(line.authorId, clientMessageId('c-2')),
    turnByAnswerId: () => conversations.turnByAnswerId(sid, question.answer.answerId),
    'turnByAnswerId, the current one': () => conversations.turnByAnswerId(sid, next.answerId),
    turns: () => conversations.turns(sid, { limit: 5 }),
    'turns, upward': () => conversations.turns(sid, { limit: 5, after: 0 }),
    totals: () => conversations.totals(sid),
    pendingOf: () => conversations.pendingOf(0, 5),
    owners: () => leases.owners(),
    list: () => disabledUsers.list(),
    ping: () => conversations.ping(),
  }
}
