import {
  type BeginCause,
  type Conversations,
  changed as changedRow,
  type Session,
  type SessionId,
  type TurnPlace,
} from '@chatbox/core'
import type { TextAnswer, TextTurn } from './store.ts'

export type Model = Omit<Conversations<string, string>, 'ping' | 'close'>

const counted: Readonly<Record<BeginCause, (answer: TextAnswer) => Partial<TextAnswer>>> = {
  fresh: () => ({}),
  fault: ({ faults }) => ({ faults: faults + 1 }),
  gone: ({ handbacks }) => ({ handbacks: handbacks + 1 }),
}

const tokensOf = ({ usage }: TextAnswer) => (usage ? usage.inputTokens + usage.outputTokens : 0)
const costOf = ({ usage }: TextAnswer) => usage?.cost ?? 0
const byText = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1)

function withoutText({ text: _, thread: __, feedback: ___, ...answer }: TextAnswer): TextAnswer {
  return answer
}

/** What `Conversations` means, told as simply as can be: two lists that are searched from one end to the other. */
export function modelConversations(): Model {
  const sessions = new Map<SessionId, Session>()
  let turns: TextTurn[] = []
  const erased = new Set<SessionId>()

  const of = (sid: SessionId) => turns.filter((turn) => turn.sid === sid).sort((a, b) => a.seq - b.seq)
  const replace = (old: TextTurn, turn: TextTurn) => {
    turns = turns.map((each) => (each === old ? turn : each))
  }
  const nextSeq = (sid: SessionId) => {
    const last = of(sid).at(-1)
    return last ? last.seq + last.width : 1
  }
  /** Changes the pending answer with this id, if there is one that fits. */
  function changed(sid: SessionId, id: string, fits: (answer: TextAnswer) => boolean, change: Partial<TextAnswer>) {
    const turn = of(sid).find(({ answer }) => answer?.answerId === id)
    if (turn?.answer?.status !== 'pending' || !fits(turn.answer)) return undefined
    const next = { ...turn, answer: { ...turn.answer, ...change } }
    replace(turn, next)
    return next
  }

  return {
    session: async (sid) => sessions.get(sid),
    async createSession(session) {
      if (sessions.has(session.sid)) return 'exists'
      sessions.set(session.sid, session)
      return 'created'
    },
    async changeSession(sid, rev, change) {
      const session = sessions.get(sid)
      if (session?.rev !== rev) return false
      sessions.set(sid, { ...changedRow(session, change), rev: rev + 1 })
      return true
    },
    async listSessions(uid, { limit, after }) {
      const order = (a: Pick<Session, 'lastActivity' | 'sid'>, b: Pick<Session, 'lastActivity' | 'sid'>) =>
        b.lastActivity - a.lastActivity || byText(b.sid, a.sid)
      return [...sessions.values()]
        .filter((session) => session.uid === uid && !session.erased && of(session.sid).length > 0)
        .sort(order)
        .filter((session) => !after || order(after, session) < 0)
        .slice(0, limit)
    },

    async insertTurn(turn) {
      if (turn.cmid && turns.some(({ authorId, cmid }) => authorId === turn.authorId && cmid === turn.cmid)) {
        return { kind: 'sent-before' }
      }
      if (of(turn.sid).some(({ seq }) => seq === turn.seq)) return { kind: 'place-taken' }
      turns.push(turn)
      return { kind: 'inserted' }
    },
    turn: async (sid, seq) => of(sid).find((turn) => turn.seq === seq),
    turnByClientMessageId: async (authorId, cmid) =>
      turns.find((turn) => turn.authorId === authorId && turn.cmid === cmid),
    turnByAnswerId: async (sid, id) =>
      of(sid).find(({ answer, superseded }) => [answer, ...superseded].some((each) => each?.answerId === id)),
    async turns(sid, { limit, before = Number.MAX_SAFE_INTEGER, after }) {
      const below = of(sid).filter(({ seq }) => seq < before)
      if (after === undefined) return below.reverse().slice(0, limit)
      return below.filter(({ seq, width }) => seq + width - 1 > after).slice(0, limit)
    },
    async totals(sid) {
      const rows = of(sid)
      const answers = rows.flatMap(({ answer, superseded }) => (answer ? [answer, ...superseded] : superseded))
      return {
        lastSeq: rows.at(-1)?.seq ?? 0,
        nextSeq: nextSeq(sid),
        totalTokens: answers.reduce((sum, answer) => sum + tokensOf(answer), 0),
        totalCost: answers.reduce((sum, answer) => sum + costOf(answer), 0),
        pending: rows.flatMap(({ seq, answer }) =>
          answer?.status === 'pending' ? [{ sid, seq, answerId: answer.answerId }] : [],
        ),
      }
    },

    async beginAttempt(sid, id, from, cause) {
      const known = of(sid).find(({ answer }) => answer?.answerId === id)?.answer
      const change = known && { attempt: from + 1, ...counted[cause](known) }
      const turn = change && changed(sid, id, ({ attempt }) => attempt === from, change)
      const session = sessions.get(sid)
      return turn && session && { turn, session }
    },
    endAnswer: async (sid, id, end, attempt) =>
      changed(sid, id, (answer) => attempt === undefined || answer.attempt === attempt, end) !== undefined,
    changePending: async (sid, id, expected, change) =>
      changed(sid, id, ({ n }) => n === expected.n, change) !== undefined,
    async supersede(sid, seq, old, answer) {
      const turn = of(sid).find((each) => each.seq === seq)
      if (turn?.answer?.answerId !== old || turn.answer.status === 'pending' || erased.has(sid)) return false
      replace(turn, { ...turn, unsettled: true, answer, superseded: [...turn.superseded, turn.answer] })
      return true
    },
    async rateAnswer(sid, id, feedback) {
      const turn = of(sid).find(({ answer }) => answer?.answerId === id)
      if (turn?.answer?.status !== 'done' || erased.has(sid)) return false
      const { feedback: _, ...answer } = turn.answer
      replace(turn, { ...turn, answer: { ...answer, ...(feedback && { feedback }) } })
      return true
    },
    async settle(sid, seq, id) {
      const turn = of(sid).find((each) => each.seq === seq)
      if (!turn || turn.answer?.status === 'pending' || turn.answer?.answerId !== id) return
      replace(turn, { ...turn, unsettled: false })
    },
    async unsettledOf(partition, limit, after) {
      const order = (a: TurnPlace, b: TurnPlace) => a.ts - b.ts || byText(a.sid, b.sid) || a.seq - b.seq
      return turns
        .filter((turn) => turn.partition === partition && turn.unsettled)
        .sort(order)
        .filter((turn) => !after || order(after, turn) < 0)
        .slice(0, limit)
    },
    async tokensSince(uid, since) {
      return turns
        .filter(({ authorId }) => authorId === uid)
        .flatMap(({ answer, superseded }) => (answer ? [answer, ...superseded] : superseded))
        .filter(({ endedAt }) => endedAt !== undefined && endedAt >= since)
        .reduce((sum, answer) => sum + tokensOf(answer), 0)
    },

    sessionByShare: async (hash) => [...sessions.values()].find(({ share }) => share?.hash === hash),
    async erasable(query) {
      return [...sessions.values()]
        .filter((session) => !session.erased)
        .filter((session) =>
          'uid' in query
            ? session.uid === query.uid
            : session.partition === query.partition && session.lastActivity < query.before,
        )
        .map(({ sid }) => sid)
        .slice(0, query.limit)
    },
    async forgetUser(uid, alias) {
      for (const session of [...sessions.values()].filter((each) => each.uid === uid && each.erased)) {
        for (const turn of of(session.sid).filter(({ authorId }) => authorId === uid)) {
          const { cmid: _, ...row } = turn
          replace(turn, { ...row, authorId: alias })
        }
        sessions.set(session.sid, { ...session, uid: alias })
      }
    },
    async eraseTurns(sid, stub) {
      const session = sessions.get(sid)
      if (session && !erased.has(sid)) {
        const { nm: _nm, preview: _preview, assistingAdminName: _name, share: _share, ...nameless } = session
        sessions.set(sid, { ...nameless, rev: session.rev + 1 })
        erased.add(sid)
      }
      for (const turn of of(sid)) {
        const { answer, superseded } = turn
        const ended = answer?.status === 'pending' ? { status: 'cancelled' as const, endedAt: stub.ts } : {}
        replace(turn, {
          ...turn,
          content: '',
          // Whoever announces that it was erased may not be through.
          unsettled: turn.unsettled && turn.event === stub.event,
          superseded: superseded.map(withoutText),
          ...(answer && { answer: { ...withoutText(answer), ...ended } }),
        })
      }
      if (of(sid).at(-1)?.event === stub.event) return
      const { cmid: _cmid, answer: _answer, ...row } = stub
      turns.push({ ...row, seq: nextSeq(sid), content: '', superseded: [] })
    },
  }
}
