import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SealedConversations } from '@chatbox/core'
import {
  type KeyedConversations,
  type Keyring,
  type SealedConversationsOptions,
  type SealedPlace,
  sealedConversations,
} from '@chatbox/crypto'
import { openSqlite } from '@chatbox/sqlite'
import { onTestFinished } from 'vitest'
import { ring } from '../rings.ts'

export interface OpenConversations {
  readonly folder: string
  readonly inner: SealedConversations
  readonly sealed: KeyedConversations
  /** What did not open. */
  readonly unopenable: SealedPlace[]
  /** Another process, with keys and caches of its own, on the same database; `between` may stand before it. */
  another(options?: Another): KeyedConversations
}

interface Another extends Partial<SealedConversationsOptions> {
  readonly keyring?: Keyring
  readonly between?: Partial<SealedConversations>
}

export async function openConversations(): Promise<OpenConversations> {
  const folder = await mkdtemp(join(tmpdir(), 'chatbox-crypto-'))
  const { conversations: inner, close } = await openSqlite({ file: join(folder, 'chatbox.db') })
  onTestFinished(async () => {
    await close()
    await rm(folder, { recursive: true })
  })
  const unopenable: SealedPlace[] = []
  const another = ({ keyring = ring('k1'), between, ...options }: Another = {}) =>
    sealedConversations({ ...inner, ...between }, keyring, {
      onUnopenable: (place) => unopenable.push(place),
      ...options,
    })
  return { folder, inner, sealed: another(), unopenable, another }
}
