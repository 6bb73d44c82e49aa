import { type AnswerId, answerId, clientMessageId, type SessionId, sessionId, type Turn } from '@chatbox/core'
import type { KeyedConversations } from '@chatbox/crypto'
import { end, pendingAnswer, session, turn } from '../conversations/samples.ts'

/** What was accepted, and must be read in the end. */
interface Kept {
  nextSeq: number
  named: { readonly rev: number; readonly nm: string }
  readonly contents: Map<number, string>
  readonly texts: Map<AnswerId, { seq: number; text?: string; comment?: string }>
}

export interface Writers {
  readonly sids: readonly SessionId[]
  /** Begins to write by all processes at once, each so many times. */
  write(processes: readonly KeyedConversations[], times: number): Promise<void>
  /** Everything of all sessions, read by this process, and what it should be. */
  compare(reader: KeyedConversations): Promise<{ readonly is: unknown; readonly should: unknown }>
}

/** Sends, ends, ratings, renames and new sessions; `pick` decides what comes next. */
export function createWriters(pick: () => number): Writers {
  const sessions = new Map<SessionId, Kept>()
  const sids: SessionId[] = []
  let made = 0
  const any = <T>(list: readonly T[]): T | undefined => list[pick() % list.length]

  async function create(by: KeyedConversations): Promise<void> {
    made += 1
    const sid = sessionId(`s${pick() % 100}-${made}`)
    const row = { ...session(sid), nm: `first name of ${sid}` }
    await by.createSession(row)
    sessions.set(sid, { nextSeq: 1, named: { rev: 0, nm: row.nm }, contents: new Map(), texts: new Map() })
    sids.push(sid)
  }
  async function send(by: KeyedConversations, sid: SessionId, kept: Kept): Promise<void> {
    const seq = kept.nextSeq
    kept.nextSeq += 2
    const text = `said at ${seq} in ${sid}`
    const id = answerId(`a-${sid}-${seq}`)
    const row: Turn = {
      ...turn(seq, { sid }),
      cmid: clientMessageId(`c-${sid}-${seq}`),
      content: { text },
      answer: pendingAnswer(id),
    }
    await by.insertTurn(row)
    kept.contents.set(seq, text)
    kept.texts.set(id, { seq })
  }
  async function finish(by: KeyedConversations, sid: SessionId, kept: Kept): Promise<void> {
    const open = any([...kept.texts].filter(([, { text }]) => text === undefined))
    if (!open) return
    const text = `answered by ${made}-${pick()}`
    if (await by.endAnswer(sid, open[0], end(text))) open[1].text = text
  }
  async function rate(by: KeyedConversations, sid: SessionId, kept: Kept): Promise<void> {
    const done = any([...kept.texts].filter(([, answer]) => answer.text !== undefined && answer.comment === undefined))
    if (!done) return
    done[1].comment = `a comment ${pick()}`
    await by.rateAnswer(sid, done[0], { rating: 'up', comment: done[1].comment, ts: 1 })
  }
  async function rename(by: KeyedConversations, sid: SessionId, kept: Kept): Promise<void> {
    const row = await by.session(sid)
    const nm = `name ${pick()}`
    if (!row || !(await by.changeSession(sid, row.rev, { nm, preview: `a preview of ${nm}` }))) return
    if (row.rev + 1 > kept.named.rev) kept.named = { rev: row.rev + 1, nm }
  }
  const actions = [send, send, finish, finish, rate, rename]

  return {
    sids,
    async write(processes, times) {
      await Promise.all(
        processes.map(async (by) => {
          for (let time = 0; time < times; time += 1) {
            const sid = any(sids)
            const kept = sid && sessions.get(sid)
            if (!sid || !kept || pick() % 12 === 0) await create(by)
            else await any(actions)?.(by, sid, kept)
          }
        }),
      )
    },
    async compare(reader) {
      const is = await Promise.all(
        sids.map(async (sid) => {
          const rows = await reader.turns(sid, { limit: 1_000, after: 0 })
          return {
            nm: (await reader.session(sid))?.nm,
            contents: rows.map(({ seq, content }) => [seq, content.text]),
            answers: rows.map(({ answer }) => [answer?.text, answer?.feedback?.comment]),
          }
        }),
      )
      const should = sids.map((sid) => {
        const kept = sessions.get(sid)
        const answers = [...(kept?.texts.values() ?? [])].sort((a, b) => a.seq - b.seq)
        return {
          nm: kept?.named.nm,
          contents: [...(kept?.contents ?? [])].sort(([a], [b]) => a - b),
          answers: answers.map(({ text, comment }) => [text, comment]),
        }
      })
      return { is, should }
    },
  }
}
