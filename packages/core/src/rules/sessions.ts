import type { SessionView } from '@chatbox/protocol'
import type { SessionId, UserId } from '../ids.ts'
import type { Totals } from '../ports/conversations.ts'
import type { Session, SessionChange, SessionStatus } from '../session.ts'
import type { Turn } from '../turn.ts'
import { nameAfter } from './naming.ts'

/** How many response times a session keeps (S6). */
export const RESPONSE_TIMES = 100

export const newSession = (sid: SessionId, uid: UserId, partition: number, modelId: string, now: number): Session => ({
  sid,
  uid,
  partition,
  modelId,
  ts: now,
  lastActivity: now,
  adminAssisted: false,
  helpRequested: false,
  totalTokens: 0,
  totalCost: 0,
  msgCount: 0,
  rts: [],
  ownerEpoch: 0,
  readSeq: 0,
  erased: false,
  rev: 0,
})

/** The row after a change: what is `null` in it is gone. */
export function changed<Row, Text>(session: Row & Session<Text>, change: SessionChange<NoInfer<Text>>): Row {
  const entries = Object.entries({ ...session, ...change }).filter(([, value]) => value !== null)
  return Object.fromEntries(entries) as Row
}

/** Derived, never stored (S5). */
export function statusOf(session: Session, now: number, inactiveAfterMs: number): SessionStatus {
  if (session.endTs !== undefined) return 'ended'
  return now - session.lastActivity > inactiveAfterMs ? 'inactive' : 'active'
}

/** What lists show of the last thing that was said. */
const PREVIEW_LENGTH = 120

export function previewOf(text: string): string | undefined {
  // A text may be long. Where it is cut, half a character may be left.
  const beginning = text
    .trimStart()
    .slice(0, 4 * PREVIEW_LENGTH)
    .replace(/[\ud800-\udbff]$/, '')
  const line = beginning.replace(/\s+/g, ' ').trim()
  const characters = Array.from(line)
  if (characters.length === 0) return undefined
  return characters.length <= PREVIEW_LENGTH ? line : `${characters.slice(0, PREVIEW_LENGTH - 1).join('')}…`
}

/** What the rows say about the session's row (R3): the same change however often it is computed. */
export function projection(session: Session, totals: Totals, since: { readonly turn?: Turn }): SessionChange {
  const { turn } = since
  // Only the last row knows what was said last; one that is worked on again later must not bring its own back.
  const preview = turn && turn.seq === totals.lastSeq ? previewOf(turn.answer?.text || turn.content.text) : undefined
  const named = session.nm === undefined && turn?.author === 'user' ? nameAfter(turn.content.text) : undefined
  const modelId = turn?.answer?.modelId
  const lastActivity = Math.max(session.lastActivity, turn?.answer?.endedAt ?? turn?.ts ?? 0)
  return {
    msgCount: totals.nextSeq - 1,
    totalTokens: totals.totalTokens,
    totalCost: totals.totalCost,
    lastActivity,
    ...(named !== undefined && { nm: named }),
    ...(preview !== undefined && { preview }),
    // Whoever writes has read what stands above.
    ...(turn?.author === 'user' && { readSeq: Math.max(session.readSeq, turn.seq) }),
    // A message that chose a model chose it for the session from now on.
    ...(modelId !== undefined && turn?.answer?.status === 'pending' && { modelId }),
  }
}

export const withResponseTime = (rts: readonly number[], ms: number): number[] => [...rts, ms].slice(-RESPONSE_TIMES)

export const sessionViewOf = (session: Session): SessionView => ({
  id: session.sid,
  ...(session.nm !== undefined && { name: session.nm }),
  modelId: session.modelId,
  startedAt: session.ts,
  ...(session.endTs !== undefined && { endedAt: session.endTs }),
  lastActivity: session.lastActivity,
  messageCount: session.msgCount,
  totalTokens: session.totalTokens,
  totalCost: session.totalCost,
  readSeq: session.readSeq,
  unreadCount: Math.max(0, session.msgCount - session.readSeq),
  ...(session.preview !== undefined && { preview: session.preview }),
  ...(session.share && { sharedUntil: session.share.until }),
  ...(session.erased && { erased: true }),
  helpRequested: session.helpRequested,
  ...(session.adminAssisted && { assistedBy: session.assistingAdminName ?? 'Support' }),
  rev: session.rev,
})
