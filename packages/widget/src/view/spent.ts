import type { SessionView, UsageView } from '@chatbox/protocol'

export const tokensOf = ({ estimated }: Pick<UsageView, 'estimated'>, count: number): string =>
  `${estimated ? '≈ ' : ''}${count.toLocaleString()} ${count === 1 ? 'token' : 'tokens'}`

/** Undefined where nobody knows, or where nothing is to be paid. */
export const costOf = ({ estimated, cost }: Pick<UsageView, 'estimated' | 'cost'>): string | undefined =>
  cost ? `${estimated ? '≈ ' : ''}${dollars(cost)}` : undefined

/** Of a whole conversation: some of it may be an estimate, and a price list is not yet the bill. */
export function totalOf({ totalTokens, totalCost }: SessionView): string {
  if (totalTokens === 0) return ''
  const estimated = { estimated: true }
  return [tokensOf(estimated, totalTokens), costOf({ ...estimated, cost: totalCost })].filter(Boolean).join(' · ')
}

const CENT = 10_000

/** Of millionths. An answer may cost far less than a cent, and that is worth knowing too. */
function dollars(cost: number): string {
  const digits = cost < CENT ? { maximumSignificantDigits: 2 } : { minimumFractionDigits: 2, maximumFractionDigits: 2 }
  return (cost / 1_000_000).toLocaleString(undefined, { style: 'currency', currency: 'USD', ...digits })
}
