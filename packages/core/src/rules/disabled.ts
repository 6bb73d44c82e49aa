import { createHash } from 'node:crypto'
import type { UserId } from '../ids.ts'

/** The same for the same users, whoever lists them and in whatever order, so that everybody can tell an older list from theirs. */
export function versionOfDisabled(uids: Iterable<UserId>): string {
  const listed = [...new Set(uids)].sort()
  return createHash('sha256').update(JSON.stringify(listed)).digest('base64url').slice(0, 22)
}
