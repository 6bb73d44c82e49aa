import { type UserId, userId } from '@chatbox/core'

/** A name for a user that nobody can turn back into the id without the hash key; the same each time. */
export const aliasOf =
  (keyring: { tag(value: string, domain: string): string }) =>
  (uid: UserId): UserId =>
    userId(`~${keyring.tag(uid, 'alias')}`)
