import fc from 'fast-check'

/** What may be asked of one of the model's answers. */
export type Step =
  | { readonly kind: 'begin'; readonly of: number; readonly attempt: number; readonly epoch: number }
  /** `ahead`: how far from the index that comes next. */
  | { readonly kind: 'append'; readonly of: number; readonly behind: number; readonly ahead: number }
  /** `after`: behind the last segment, the one before it, and so on. */
  | {
      readonly kind: 'merge'
      readonly of: number
      readonly behind: number
      readonly after: number
      readonly upTo: number
    }
  | { readonly kind: 'end'; readonly of: number; readonly behind: number }
  | { readonly kind: 'close'; readonly of: number }
  | { readonly kind: 'cancel'; readonly of: number }
  | { readonly kind: 'look'; readonly of: number }
  | { readonly kind: 'fence'; readonly of: number; readonly epoch: number }

const of = fc.nat(2)
const mostlyZero = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.constant(-1) },
)
/** From the current attempt: mostly that, sometimes a ghost, sometimes one that has not begun. */
const behind = mostlyZero
const ahead = mostlyZero
const kind = <K extends string>(name: K) => fc.constant(name)

const begin = fc.record({
  kind: kind('begin'),
  of,
  attempt: fc.integer({ min: 1, max: 4 }),
  epoch: fc.integer({ min: 0, max: 2 }),
})
const append = fc.record({ kind: kind('append'), of, behind, ahead })
const after = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat(3) })
const merge = fc.record({ kind: kind('merge'), of, behind, after, upTo: fc.integer({ min: 0, max: 8 }) })
const end = fc.record({ kind: kind('end'), of, behind })
const close = fc.record({ kind: kind('close'), of })
const fence = fc.record({ kind: kind('fence'), of, epoch: fc.integer({ min: 1, max: 2 }) })
const cancel = fc.record({ kind: kind('cancel'), of })
const look = fc.record({ kind: kind('look'), of })

export const someStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: begin },
  { weight: 10, arbitrary: append },
  { weight: 3, arbitrary: merge },
  { weight: 2, arbitrary: end },
  { weight: 1, arbitrary: close },
  { weight: 1, arbitrary: fence },
  { weight: 1, arbitrary: cancel },
  { weight: 3, arbitrary: look },
)
