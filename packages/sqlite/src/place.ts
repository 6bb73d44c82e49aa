import { type BigIntStats, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { StoreError } from './errors.ts'

/**
 * Tells whether the open file is still the one that its path names. A file that was removed or replaced can be read and written on
 * without a fault, and everything is gone with the process. It is only looked at: to open it and close it again would let go of the
 * locks that this process holds.
 */
export function watchPlace(file: string): () => Promise<void> {
  const opened = statSync(file, { bigint: true })
  return async () => {
    const found = await stat(file, { bigint: true }).catch((error: unknown) => {
      throw gone(file, error)
    })
    if (!isSame(found, opened)) throw gone(file)
  }
}

const isSame = (one: BigIntStats, other: BigIntStats): boolean => one.ino === other.ino && one.dev === other.dev

const gone = (file: string, cause?: unknown): StoreError =>
  new StoreError(
    'gone',
    `The database ${file} was removed or replaced while it was in use: restart with it in place.`,
    cause,
  )
