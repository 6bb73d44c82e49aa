import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { SealedConversations } from '@chatbox/core'
import { openSqlite } from '@chatbox/sqlite'
import { temporaryFolder } from '@chatbox/testkit/folders'

export interface SomeDatabase {
  readonly folder: string
  readonly inner: SealedConversations
  /** Closes it and takes its folder away, also where the closing fails. */
  remove(): Promise<void>
}

/** A database in a folder of its own. */
export async function someDatabase(): Promise<SomeDatabase> {
  const folder = temporaryFolder('crypto')
  const removeFolder = () => rm(folder, { recursive: true, force: true })
  try {
    const { conversations: inner, close } = await openSqlite({ file: join(folder, 'chatbox.db') })
    return { folder, inner, remove: () => close().finally(removeFolder) }
  } catch (error) {
    await removeFolder()
    throw error
  }
}
