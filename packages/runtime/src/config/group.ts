import type { Setting } from './setting.ts'
import { FAULTY, type Faulty, type Source } from './source.ts'

export type Shape = Readonly<Record<string, Setting<unknown>>>
export type ValueOf<S extends Shape> = { readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never }

/** What holds between the settings of a group; reports through the source, and is asked only when each is fine alone. */
export type Rule<T> = (value: T, source: Source) => void

/** Several settings as one object. A service's whole configuration is a group of groups. */
export function group<S extends Shape>(shape: S, rule?: Rule<ValueOf<S>>): Setting<ValueOf<S>> {
  const entries = Object.entries(shape)
  return {
    docs: entries.flatMap(([, setting]) => setting.docs),
    read(source) {
      const values = entries.map(([key, setting]) => [key, setting.read(source)] as const)
      if (values.some(([, value]) => value === FAULTY)) return FAULTY
      // The entries come from `shape`, each read by its own setting, so the object has the shape's type.
      const value = Object.fromEntries(values) as ValueOf<S>
      return rule ? checked(value, rule, source) : value
    },
  }
}

/** Another form of what a setting reads. */
export function mapped<A, B>(setting: Setting<A>, change: (value: A) => B): Setting<B> {
  return {
    docs: setting.docs,
    read(source) {
      const value = setting.read(source)
      return value === FAULTY ? FAULTY : change(value)
    },
  }
}

function checked<T>(value: T, rule: Rule<T>, source: Source): T | Faulty {
  let refused = false
  rule(value, {
    ...source,
    fault(name, sentence) {
      refused = true
      return source.fault(name, sentence)
    },
  })
  return refused ? FAULTY : value
}
