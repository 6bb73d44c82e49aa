import { type Packet, type UserId, userId } from '@chatbox/core'
import type { HeaderAad } from '../aad.ts'
import type { Box } from '../box.ts'
import type { Keyring, Purpose } from '../keyring.ts'
import { remembered } from '../remembered.ts'
import { type OnUnopenable, type SealedPlace, watched } from '../watch.ts'

/** Whose packets these are, and the keys that they are sealed with. */
export interface Owner {
  readonly name: string
  readonly box: Box
}

export interface User extends Owner {
  /** A keyed hash in place of the user's id: all that an adapter ever sees of it (R27). */
  readonly tag: UserId
}

export interface SealedFabricOptions {
  readonly onUnopenable: OnUnopenable
  /** How many users' keys are kept at hand. Default 20 000; set it above the number of users that one edge serves. */
  readonly maxUsers?: number
}

/** What the sealed ports of one fabric share. */
export interface Seals {
  user(uid: UserId): User
  edge(edge: string): Owner
  partition(partition: number): Owner
  readonly outcomes: Owner
  tag(value: string, domain: string): string
  seal<H extends object>(owner: Owner, aad: HeaderAad<H>, packet: Packet<H>): Packet<H>
  /** Undefined for what does not open, which has then been counted. */
  open<H extends object>(place: SealedPlace, owner: Owner, aad: HeaderAad<H>, packet: Packet<H>): Packet<H> | undefined
  /** For a packet that opens, but is not the one that was asked for. */
  misplaced(place: SealedPlace): void
  sizes(): KeySizes
}

/** Keys at hand: of users, and of edges and partitions. */
export type KeySizes = Readonly<Record<'users' | 'others', number>>

const MAX_USERS = 20_000
/** Edges come and go; partitions are few. */
const MAX_OTHERS = 1_024

export function createSeals(keyring: Keyring, { onUnopenable, maxUsers = MAX_USERS }: SealedFabricOptions): Seals {
  const tryOpen = watched(onUnopenable)
  const ownerOf = (purpose: Purpose, name: string): Owner => ({ name, box: keyring.box(purpose, name) })

  const users = remembered(maxUsers, (uid: UserId): User => {
    const tag = keyring.tag(uid, 'user')
    return { name: tag, box: keyring.box('user', tag), tag: userId(tag) }
  })
  const edges = remembered(MAX_OTHERS, (edge: string) => ownerOf('reply', edge))
  // A key per partition, because random nonces bound how much one key may seal.
  const partitions = remembered(MAX_OTHERS, (partition: number) => ownerOf('entry', String(partition)))

  return {
    user: users.of,
    edge: edges.of,
    partition: partitions.of,
    outcomes: ownerOf('outcome', ''),
    tag: keyring.tag,
    seal: (owner, aad, { header, body }) => ({ header, body: owner.box.seal(body, aad(owner.name, header)) }),
    open(place, owner, aad, { header, body }) {
      const opened = tryOpen(place, owner.box, body, aad(owner.name, header))
      return opened && { header, body: opened }
    },
    misplaced: onUnopenable,
    sizes: () => ({ users: users.size, others: edges.size + partitions.size }),
  }
}
