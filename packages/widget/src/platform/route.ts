/** Where the open conversation's id is kept, so that a reload, a bookmark and the back button lead to it. */
export interface Route {
  current(): string | undefined
  /** `push` makes a step that the back button undoes. */
  go(sid: string | undefined, how: 'push' | 'replace'): void
  listen(listener: () => void): () => void
}

const HASH = /^#chat\/([A-Za-z0-9_-]{1,128})$/

export function hashRoute(window: Window): Route {
  const current = () => HASH.exec(window.location.hash)?.[1]
  return {
    current,
    go(sid, how) {
      if (sid === current()) return
      const { pathname, search } = window.location
      const url = pathname + search + (sid === undefined ? '' : `#chat/${sid}`)
      if (how === 'push') window.history.pushState(null, '', url)
      else window.history.replaceState(null, '', url)
    },
    listen(listener) {
      // Going back and editing the address both come as one or the other, depending on the browser.
      window.addEventListener('popstate', listener)
      window.addEventListener('hashchange', listener)
      return () => {
        window.removeEventListener('popstate', listener)
        window.removeEventListener('hashchange', listener)
      }
    },
  }
}

/** For a page whose address belongs to somebody else. */
export const noRoute: Route = { current: () => undefined, go: () => undefined, listen: () => () => undefined }
