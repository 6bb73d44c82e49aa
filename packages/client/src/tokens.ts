import type { ChatOptions } from './api.ts'
import { tokenError } from './errors.ts'

export interface Tokens {
  /** Asks the app, each time. Like the others it rejects with a `ChatError` only. */
  ask(fresh: boolean): Promise<string>
  /** The last one that was given, or a first one. */
  current(): Promise<string>
  /** Another one than this, which was refused. Many may ask at once; the app is asked once. */
  renew(refused: string): Promise<string>
}

export function createTokens(give: ChatOptions['token']): Tokens {
  let last: string | undefined
  let renewing: Promise<string> | undefined

  const ask = async (fresh: boolean): Promise<string> => {
    try {
      last = await give({ fresh })
      return last
    } catch (error) {
      throw tokenError(error)
    }
  }
  return {
    ask,
    current: async () => last ?? (await ask(false)),
    async renew(refused) {
      if (last !== undefined && last !== refused) return last
      renewing ??= ask(true).finally(() => {
        renewing = undefined
      })
      return renewing
    },
  }
}

/** When a JWT expires, in ms since 1970; undefined for what is not a JWT. Nothing is verified: that is the server's work. */
export function expiryOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(atob((token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')))
    if (typeof claims !== 'object' || claims === null || !('exp' in claims)) return undefined
    return typeof claims.exp === 'number' ? claims.exp * 1_000 : undefined
  } catch {
    return undefined
  }
}
