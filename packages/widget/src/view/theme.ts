import type { Keep } from '../platform/keep.ts'
import { iconButton, setAttribute } from './dom.ts'
import { icon } from './icons.ts'

export interface Theme {
  readonly button: HTMLElement
  close(): void
}

const KEY = 'theme'

/** As the system has it, until the user says otherwise, which is remembered. */
export function createTheme(root: HTMLElement, keep: Keep): Theme {
  const system = matchMedia('(prefers-color-scheme: dark)')
  const kept = keep.read(KEY)
  let chosen = kept === 'dark' || kept === 'light' ? kept : undefined

  const isDark = () => (chosen ? chosen === 'dark' : system.matches)
  const button = iconButton('', icon('moon'), () => {
    chosen = isDark() ? 'light' : 'dark'
    keep.write(KEY, chosen)
    show()
  })
  const show = () => {
    setAttribute(root, 'data-theme', chosen)
    const label = isDark() ? 'Use light colours' : 'Use dark colours'
    setAttribute(button, 'aria-label', label)
    setAttribute(button, 'title', label)
    button.replaceChildren(icon(isDark() ? 'sun' : 'moon'))
  }
  show()
  system.addEventListener('change', show)
  return { button, close: () => system.removeEventListener('change', show) }
}
