const LANGUAGE = /^[\p{L}\p{N}+#._-]{1,24}/u

/** The button does nothing by itself: `copyClicks` serves all of them, so that nodes can be replaced freely. */
export function codeBlock(content: string, info: string, document: Document): HTMLElement {
  const block = document.createElement('div')
  block.className = 'cb-code'

  const head = block.appendChild(document.createElement('div'))
  head.className = 'cb-code-head'
  const language = head.appendChild(document.createElement('span'))
  language.textContent = LANGUAGE.exec(info.trim())?.[0] ?? 'text'
  const copy = head.appendChild(document.createElement('button'))
  copy.setAttribute('type', 'button')
  copy.className = 'cb-copy'
  copy.textContent = 'Copy'

  const pre = block.appendChild(document.createElement('pre'))
  // Long lines are scrolled to by keyboard too.
  pre.setAttribute('tabindex', '0')
  const code = pre.appendChild(document.createElement('code'))
  code.textContent = content.replace(/\n$/, '')
  return block
}

const SHOWN_MS = 1_600

/** Serves the copy buttons of all code blocks below `root`. Returns its cleanup. */
export function copyClicks(root: HTMLElement, say: (text: string) => void): () => void {
  const timers = new Set<ReturnType<typeof setTimeout>>()
  const listen = (event: Event) => {
    const button = event.target instanceof Element ? event.target.closest('.cb-copy') : null
    const code = button?.closest('.cb-code')?.querySelector('code')?.textContent
    if (!button || code === undefined || code === null) return
    const show = (text: string) => {
      button.textContent = text
      const timer = setTimeout(() => {
        timers.delete(timer)
        button.textContent = 'Copy'
      }, SHOWN_MS)
      timers.add(timer)
    }
    copyText(code).then(
      () => {
        show('Copied')
        say('Code copied.')
      },
      () => show('Not copied'),
    )
  }
  root.addEventListener('click', listen)
  return () => {
    root.removeEventListener('click', listen)
    for (const timer of timers) clearTimeout(timer)
  }
}

/** Rejects where the page may not write to the clipboard, as in one that came without TLS. */
export async function copyText(text: string): Promise<void> {
  await navigator.clipboard.writeText(text)
}
