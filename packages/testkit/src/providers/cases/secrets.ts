import type { Script } from '../script.ts'
import { BROKEN, type FaultCase, OVERLOADED, type Verdict, WRONG } from './faults.ts'

/** What a vendor says that nobody but the log may read, and the key, which it may not have either (X4). */
export interface Canaries {
  readonly key: string
  /** Stands in each error in the vendor's words. */
  readonly words: string
}

export interface SecretCase extends Pick<FaultCase, 'name' | 'script' | 'text' | 'code' | 'retryable'> {
  /** The log has the vendor's words. */
  readonly logged: boolean
}

/** Vendors that quote the key that they refuse, in all the places where errors can be. */
export function secretCases({ key, words }: Canaries): readonly SecretCase[] {
  const text = `${words}: the key ${key} is not good, ${key}!`
  /** An error in the words of each vendor at once. */
  const body = JSON.stringify({
    type: 'error',
    error: { type: 'api_error', message: text, code: null, param: null },
    code: 'internal',
    message: text,
    status: 500,
  })
  const html = { 'content-type': 'text/html' }
  const told = (name: string, script: Script, verdict: Verdict, said = ''): SecretCase => ({
    ...{ name, script: () => script, text: said, logged: true },
    ...verdict,
  })
  const untold = (name: string, script: SecretCase['script'], verdict: Verdict): SecretCase => ({
    ...{ name, script, text: '', logged: false },
    ...verdict,
  })
  const far = 'So far'
  return [
    told('an error by its status', { status: 500, body }, BROKEN),
    told('a refused key', { status: 401, body }, WRONG),
    untold('an error that is no JSON', () => ({ status: 502, body: `<p>${text}</p>`, headers: html }), BROKEN),
    untold('a long error', () => ({ status: 503, body: `${text} ${'and so on '.repeat(10_000)}${key}` }), OVERLOADED),
    told('an error inside the stream', { steps: [{ say: far }, { error: text }] }, BROKEN, far),
    told(
      'an overload inside the stream',
      { steps: [{ say: far }, { error: text, overloaded: true }] },
      OVERLOADED,
      far,
    ),
    untold('an event that is no JSON', ({ event }) => ({ steps: [{ raw: event(`${text}"`) }] }), BROKEN),
    untold(
      'an event of an unknown shape',
      ({ event }) => ({ steps: [{ raw: event(JSON.stringify([text])) }] }),
      BROKEN,
    ),
    untold('HTML with status 200', () => ({ body: `<p>${text}</p>`, headers: html }), WRONG),
    untold(
      'a kind of content that tells too much',
      () => ({ body: '{}', headers: { 'content-type': `text/html; of="${key}"` } }),
      WRONG,
    ),
  ]
}
