import { type Box, createKeyring } from '@chatbox/crypto'

/** What the forwarder and whoever publishes for it agree on. */
export const forwarderChannel = (user: string): string => `forward:{${user}}`

/** As long as what an event's header comes to. */
export const SEALED_FOR_FORWARDER: Uint8Array = Buffer.from('event of a user, for one channel', 'utf16le')

/** A key per user, as with the edge. */
export function forwarderBox(key: Uint8Array): (user: string) => Box {
  const keyring = createKeyring({ keys: [{ id: 'k1', key }] })
  const boxes = new Map<string, Box>()
  return (user) => {
    const known = boxes.get(user) ?? keyring.box('user', user)
    boxes.set(user, known)
    return known
  }
}
