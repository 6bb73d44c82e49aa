import { setAttribute } from './dom.ts'

export interface Drawer {
  readonly isOpen: boolean
  open(): void
  /** Harmless when it is not open. */
  close(): void
  stop(): void
}

const NARROW_PX = 720

/**
 * Where there is no room beside the conversation, the list lies over it while it is needed. The width that counts is the
 * widget's own, not the window's.
 */
export function createDrawer(
  root: HTMLElement,
  parts: { sidebar: HTMLElement; main: HTMLElement; scrim: HTMLElement; opener: HTMLElement },
): Drawer {
  const { sidebar, main, scrim, opener } = parts
  let isNarrow = false
  let isOpen = false

  const show = () => {
    setAttribute(root, 'data-narrow', isNarrow ? '' : undefined)
    setAttribute(root, 'data-drawer', isNarrow && isOpen ? '' : undefined)
    setAttribute(opener, 'aria-expanded', String(isOpen))
    // What is out of sight is out of reach, for the keyboard and for a screen reader too.
    sidebar.inert = isNarrow && !isOpen
    main.inert = isNarrow && isOpen
  }
  const close = () => {
    if (!isOpen) return
    isOpen = false
    show()
    opener.focus()
  }
  const observer = new ResizeObserver(([entry]) => {
    const narrow = (entry?.contentRect.width ?? root.clientWidth) < NARROW_PX
    if (narrow === isNarrow) return
    isNarrow = narrow
    isOpen = false
    show()
  })
  observer.observe(root)
  scrim.addEventListener('click', close)
  isNarrow = root.clientWidth > 0 && root.clientWidth < NARROW_PX
  show()

  return {
    get isOpen() {
      return isNarrow && isOpen
    },
    open() {
      isOpen = true
      show()
      sidebar.querySelector<HTMLElement>('[aria-current], .cb-new')?.focus()
    },
    close,
    stop: () => observer.disconnect(),
  }
}
