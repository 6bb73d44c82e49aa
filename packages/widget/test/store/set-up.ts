import type { Keep } from '../../src/platform/keep.ts'
import type { Route } from '../../src/platform/route.ts'
import { createStore } from '../../src/store/store.ts'
import { fakeChat } from '../fake-chat.ts'

export function fakeKeep(): Keep & { readonly all: Map<string, string> } {
  const all = new Map<string, string>()
  return {
    all,
    read: (key) => all.get(key),
    write: (key, value) => void (value === undefined ? all.delete(key) : all.set(key, value)),
    keys: () => [...all.keys()],
  }
}

function fakeRoute(
  at?: string,
): Route & { at: string | undefined; readonly steps: string[]; back(sid?: string): void } {
  let listener: () => void = () => undefined
  const route = {
    at,
    steps: [] as string[],
    current: () => route.at,
    go(sid: string | undefined, how: string) {
      route.at = sid
      route.steps.push(`${how} ${sid}`)
    },
    listen(heard: () => void) {
      listener = heard
      return () => undefined
    },
    back(sid?: string) {
      route.at = sid
      listener()
    },
  }
  return route
}

export function setUp(at?: string, keep = fakeKeep()) {
  const chat = fakeChat()
  const route = fakeRoute(at)
  let visible = true
  let seen: () => void = () => undefined
  const store = createStore({
    chat,
    route,
    keep,
    visible: () => visible,
    onVisible(listener) {
      seen = listener
      return () => undefined
    },
  })
  const look = (at: boolean) => {
    visible = at
    seen()
  }
  return { chat, route, keep, store, look }
}

/** Lets what was promised already happen. */
export const settled = () => new Promise((resolve) => setTimeout(resolve, 0))
