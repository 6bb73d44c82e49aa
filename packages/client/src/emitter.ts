export interface Emitter<Events> {
  on<E extends keyof Events>(event: E, listener: (payload: Events[E]) => void): () => void
  emit<E extends keyof Events>(event: E, payload: Events[E]): void
}

export function createEmitter<Events>(): Emitter<Events> {
  const listeners: { [E in keyof Events]?: Set<{ hear(payload: Events[E]): void }> } = {}

  return {
    on(event, listener) {
      // An entry of its own, so that the same function may listen twice and leave once.
      const entry = { hear: listener }
      const heard = listeners[event] ?? new Set()
      listeners[event] = heard
      heard.add(entry)
      return () => {
        heard.delete(entry)
      }
    },
    emit(event, payload) {
      for (const entry of [...(listeners[event] ?? [])]) {
        try {
          entry.hear(payload)
        } catch (error) {
          report(error)
        }
      }
    },
  }
}

/** A listener's fault is the page's business: it goes where uncaught errors go, and stops nobody else. */
function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error)
  else
    setTimeout(() => {
      throw error
    })
}
