/** Shorter ones are everybody's: masking them would leave nothing of a sentence. */
const SHORTEST_PASSAGE = 8
const SHORTEST_MESSAGE = 4

/** How some servers write all that is no ASCII; what was quoted once more has more of the strokes. */
const ESCAPED = /\\+u([\da-f]{4})/gi

/**
 * A vendor's sentence without what people said. Vendors may quote in an error what they were asked, and the log must tell why a
 * provider failed, but never what somebody wrote (X4).
 */
export function withoutWords(sentence: string, said: readonly string[]): string {
  const clear = masking(sentence, said)
  const plain = clear.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
  return plain === clear ? clear : masking(plain, said)
}

function masking(sentence: string, said: readonly string[]): string {
  const masked = new Array<boolean>(sentence.length).fill(false)
  for (const words of said) {
    const size = Math.min(SHORTEST_PASSAGE, words.length)
    if (size < SHORTEST_MESSAGE) continue
    for (let at = 0; at + size <= sentence.length; at++) {
      if (words.includes(sentence.slice(at, at + size))) masked.fill(true, at, at + size)
    }
  }
  let clear = ''
  for (let at = 0; at < sentence.length; at++) {
    if (!masked[at]) clear += sentence[at]
    else if (!masked[at - 1]) clear += '[words]'
  }
  return clear
}
