import type { Store } from '../connection/store.ts'

/** Says when a partition is worth looking at: somebody appended, or nobody can tell. */
export interface Bell {
  /** To be asked for before looking, so that what comes meanwhile rings too. */
  next(): Promise<void>
  close(): void
}

/** Who hears nothing looks all the same, every `pollMs`. */
export function createBell(store: Store, channel: string, pollMs: number): Bell {
  let next: Promise<void> | undefined
  let ring: (() => void) | undefined
  let listening = false
  let leave: (() => void) | undefined
  let closed = false

  function listen(): void {
    if (listening || closed) return
    listening = true
    const heard = () => ring?.()
    store.subscribe(channel, { message: heard, gap: heard }).then(
      (left) => {
        leave = left
        if (closed) left()
        // What came before it listened was not heard.
        ring?.()
      },
      () => {
        listening = false
      },
    )
  }

  listen()
  return {
    next() {
      next ??= new Promise((resolve) => {
        const timer = setTimeout(() => {
          listen()
          ring?.()
        }, pollMs).unref()
        ring = () => {
          clearTimeout(timer)
          next = undefined
          ring = undefined
          resolve()
        }
      })
      return next
    },
    close() {
      if (closed) return
      closed = true
      ring?.()
      leave?.()
    },
  }
}
