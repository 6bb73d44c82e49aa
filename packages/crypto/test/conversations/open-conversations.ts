import type { SealedConversations } from '@chatbox/core'
import {
  type KeyedConversations,
  type Keyring,
  type SealedConversationsOptions,
  type SealedPlace,
  sealedConversations,
} from '@chatbox/crypto'
import { onTestFinished } from 'vitest'
import { ring } from '../rings.ts'
import { someDatabase } from './some-database.ts'

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
  const { folder, inner, remove } = await someDatabase()
  onTestFinished(remove)
  const unopenable: SealedPlace[] = []
  const another = ({ keyring = ring('k1'), between, ...options }: Another = {}) =>
    sealedConversations({ ...inner, ...between }, keyring, {
      onUnopenable: (place) => unopenable.push(place),
      ...options,
    })
  return { folder, inner, sealed: another(), unopenable, another }
}
