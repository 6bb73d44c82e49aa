import type { SessionId, UserId } from './ids.ts'

/**
 * A session's row (R3): a projection of its turns, changed only by compare-and-set on the `rev` that was read.
 * `Text` is a string for the services and sealed bytes for the databases.
 */
export interface Session<Text = string> {
  readonly sid: SessionId
  readonly uid: UserId
  readonly partition: number
  readonly nm?: Text
  /** The beginning of what was said last, for lists. */
  readonly preview?: Text
  readonly modelId: string
  readonly ts: number
  readonly endTs?: number
  readonly lastActivity: number
  readonly adminAssisted: boolean
  readonly assistingAdminId?: UserId
  readonly assistingAdminName?: Text
  readonly helpRequested: boolean
  /** Derived from the turns, never incremented by an entry. */
  readonly totalTokens: number
  /** In millionths of a US dollar, whole ones, so that sums are exact. */
  readonly totalCost: number
  readonly msgCount: number
  /** The latest response times, oldest first (S6). */
  readonly rts: readonly number[]
  /** Rises with takeover, end and erasure; nothing that a model says under a lower one is shown (R20). */
  readonly ownerEpoch: number
  readonly readSeq: number
  /** Of the link that was given out last, if it was not taken back. */
  readonly share?: Share
  readonly erased: boolean
  readonly rev: number
}

/** A link that lets anybody read a session. What is stored opens nothing: the link holds what this is the hash of. */
export interface Share {
  readonly hash: string
  readonly until: number
}

type Changeable<Text> = Omit<Session<Text>, 'sid' | 'uid' | 'partition' | 'ts' | 'rev'>
type Removable = 'nm' | 'preview' | 'endTs' | 'assistingAdminId' | 'assistingAdminName' | 'share'

/** What a compare-and-set may change; `null` takes away what need not be there. */
export type SessionChange<Text = string> = Partial<Omit<Changeable<Text>, Removable>> & {
  readonly [K in Removable]?: NonNullable<Changeable<Text>[K]> | null
}

export type SessionStatus = 'active' | 'inactive' | 'ended'
