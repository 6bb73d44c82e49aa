import type { Cancel } from './later.ts'

export interface Hints {
  /** There is a reason to believe that the network is there (again). */
  hint(): void
  /** There is none for sure. */
  offline(): void
}

/** Tells what a browser knows of the network. Elsewhere nothing is ever heard. */
export function listenForHints({ hint, offline }: Hints): Cancel {
  if (typeof document === 'undefined' || typeof addEventListener !== 'function') return () => undefined
  const seen = () => {
    if (document.visibilityState === 'visible') hint()
  }
  addEventListener('online', hint)
  addEventListener('offline', offline)
  addEventListener('pageshow', hint)
  document.addEventListener('visibilitychange', seen)
  return () => {
    removeEventListener('online', hint)
    removeEventListener('offline', offline)
    removeEventListener('pageshow', hint)
    document.removeEventListener('visibilitychange', seen)
  }
}
