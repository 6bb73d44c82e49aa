export interface Scroll {
  /** Whether the end is in sight and shall stay so. */
  readonly pinned: boolean
  toEnd(): void
  /** Runs a change of what stands above, and keeps in place what is in sight. */
  keeping(change: () => void): void
  close(): void
}

/** This near to the end counts as the end. */
const NEAR_PX = 48

/** Follows what grows at the end, but only while the user is there. */
export function createScroll(box: HTMLElement, content: HTMLElement, onScroll: () => void): Scroll {
  let pinned = true
  let top = 0

  const toEnd = () => {
    pinned = true
    box.scrollTop = box.scrollHeight
    top = box.scrollTop
  }
  const scrolled = () => {
    const isNear = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_PX
    // Far from the end without having gone up: something grew, and the observer has yet to say so.
    pinned = isNear || (pinned && box.scrollTop >= top)
    top = box.scrollTop
    onScroll()
  }
  box.addEventListener('scroll', scrolled, { passive: true })
  // Also when the box gets smaller: a phone's keyboard must not hide the end.
  const observer = new ResizeObserver(() => {
    if (pinned) toEnd()
    onScroll()
  })
  observer.observe(box)
  observer.observe(content)

  return {
    get pinned() {
      return pinned
    },
    toEnd,
    keeping(change) {
      const fromEnd = box.scrollHeight - box.scrollTop
      change()
      if (!pinned) box.scrollTop = box.scrollHeight - fromEnd
    },
    close() {
      box.removeEventListener('scroll', scrolled)
      observer.disconnect()
    },
  }
}
