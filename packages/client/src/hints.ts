import type { Cancel } from './later.ts'

/** Tells when a browser has a reason to believe that the network is there (again). Elsewhere nothing is ever heard. */
export function listenForHints(hint: () => void): Cancel {
  if (typeof document === 'undefined' || typeof addEventListener !== 'function') return () => undefined
  const seen = () => {
    if (document.visibilityState === 'visible') hint()
  }
  addEventListener('online', hint)
  addEventListener('pageshow', hint)
  document.addEventListener('visibilitychange', seen)
  return () => {
    removeEventListener('online', hint)
    removeEventListener('pageshow', hint)
    document.removeEventListener('visibilitychange', seen)
  }
}
