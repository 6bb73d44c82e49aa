import { setTimeout as delay } from 'node:timers/promises'
import { checkRing, type Keyring, type RotationConversations, rotate } from '@chatbox/crypto'
import type { Logger, Part } from '@chatbox/runtime'

interface KeysOptions {
  readonly conversations: RotationConversations
  readonly keyring: Keyring
  readonly log: Logger
}

/** So that whoever chats meanwhile does not notice. */
const CALLS_PER_SECOND = 200

/**
 * Refuses to start where a key is missing that is still in use (R28). With more keys than the current one it brings what is stored under
 * that one, for as long as it runs and whenever it is started again: the only process there is knows the new key already.
 */
export function keys({ conversations, keyring, log }: KeysOptions): Part {
  const stopping = new AbortController()
  const { signal } = stopping
  let running: Promise<void> | undefined

  async function rotateAll(): Promise<void> {
    for (;;) {
      const report = await rotate({
        conversations,
        keyring,
        values: true,
        perSecond: CALLS_PER_SECOND,
        onUnopenable: (sid) => log.error({ sid }, 'a session does not open, and stays under its key'),
        signal,
      })
      const { left, waitUntil } = report
      log.info(
        { ...report },
        left === 0 ? 'nothing is left of older keys' : 'everything that opens is sealed by the current key',
      )
      if (left === 0 || waitUntil === undefined) return
      await delay(Math.max(0, waitUntil - Date.now()), undefined, { signal })
    }
  }

  return {
    name: 'keys',
    async start() {
      await checkRing(conversations, keyring)
      if (keyring.ids.length < 2) return
      running = rotateAll().catch((err: unknown) => {
        if (!signal.aborted) log.error({ err }, 'the rotation of keys broke off; the next start goes on')
      })
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}
