import { type Cancel, later } from './later.ts'

/** Remembers that a reload is owed, however often the connection is lost before its time has come. */
export interface Reload {
  /** Never earlier than was asked for before. */
  owe(afterMs: number): void
  opened(): void
  closed(): void
}

export function createReload(emit: () => void): Reload {
  let dueAt: number | undefined
  let open = false
  let cancel: Cancel = () => undefined

  const arm = () => {
    cancel()
    if (!open || dueAt === undefined) return
    const left = dueAt - Date.now()
    if (left > 0) {
      cancel = later(left, arm)
      return
    }
    dueAt = undefined
    emit()
  }
  return {
    owe(afterMs) {
      dueAt = Math.max(dueAt ?? 0, Date.now() + afterMs)
      arm()
    },
    opened() {
      open = true
      arm()
    },
    closed() {
      open = false
      cancel()
    },
  }
}
