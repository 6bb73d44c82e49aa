/** Words that examples and tutorials put where a secret belongs, and the sequences that keyboards suggest. */
const PLACEHOLDERS = `
  changeme changeit change replace insert generate please todo placeholder example sample default dummy fake
  secret supersecret super password passphrase pass token key jwt encryption insecure safe random string value
  your my me this that the here very long with must be is to do in at for not use only until least minimum
  characters chars bytes 32 chatbox admin local test demo dev development production foo bar baz
  abcdefghijklmnopqrstuvwxyz zyxwvutsrqponmlkjihgfedcba qwertyuiopasdfghjklzxcvbnm qwerty abcdef
  0123456789abcdef 0123456789 1234567890 9876543210 123456
`
  .trim()
  .split(/\s+/)
  // A short word inside a long one would leave a rest of it behind.
  .sort((a, b) => b.length - a.length)

/** Random text of the accepted length has more of either. */
const FEWEST_DISTINCT = 8
const SHORTEST_REST = 16

/** Why a text cannot be a secret (the end of a sentence), or undefined when nothing speaks against it. */
export function weakness(secret: string): string | undefined {
  return monotony(secret) ?? (isPlaceholder(secret) ? 'is a placeholder' : undefined)
}

/** The part of weakness that also holds for bytes which are not text. */
export function monotony(secret: string): string | undefined {
  if (new Set(secret).size < FEWEST_DISTINCT) return 'has too little variety'
  if (smallestPeriod(secret) <= secret.length / 2) return 'repeats itself'
  return undefined
}

function isPlaceholder(secret: string): boolean {
  if (/^\s*(<.*>|\$\{.*\}|\{\{.*\}\}|\[.*\])\s*$/s.test(secret)) return true
  let rest = secret.toLowerCase().replace(/[^a-z0-9]+/g, ' ')
  for (const word of PLACEHOLDERS) rest = rest.replaceAll(word, ' ')
  return rest.replaceAll(' ', '').length < SHORTEST_REST
}

/** The shortest p for which every character equals the one p places later. */
function smallestPeriod(value: string): number {
  for (let period = 1; period < value.length; period++) {
    if (value.startsWith(value.slice(period))) return period
  }
  return value.length
}
