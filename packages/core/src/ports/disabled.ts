import type { UserId } from '../ids.ts'
import type { Unsubscribe } from './bus.ts'

export interface DisabledList {
  /** A hash of the list: that of another list is another one, and that of the same list the same. */
  readonly version: string
  has(uid: UserId): boolean
}

/** Who may not connect (R23), as edges read it: a mirror of `DisabledUsers`, which may be lost at any time. */
export interface Disabled {
  /**
   * The whole list; undefined where the store has none (any more): then nobody knows who is disabled. `known` is the version
   * the caller has: the same list is not sent again.
   */
  read(known?: string): Promise<DisabledList | 'same' | undefined>
  /** Puts the whole list in the place of whatever is there, and tells those who listen. Returns the list's version. */
  replace(uids: readonly UserId[]): Promise<string>
  /** Makes edges look now. A signal can be lost, so they look by themselves as well. */
  onChange(listener: () => void): Promise<Unsubscribe>
}

/** Who may not connect, in the database: the truth that the mirror is made from. */
export interface DisabledUsers {
  list(): Promise<UserId[]>
  set(uid: UserId, disabled: boolean): Promise<void>
}
