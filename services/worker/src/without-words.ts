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
  const passages = passagesOf(sentence)
  for (const words of said) {
    if (words.length >= SHORTEST_PASSAGE) {
      for (const at of passages.placesIn(words)) masked.fill(true, at, at + SHORTEST_PASSAGE)
    } else if (words.length >= SHORTEST_MESSAGE) {
      for (let at = sentence.indexOf(words); at !== -1; at = sentence.indexOf(words, at + 1)) {
        masked.fill(true, at, at + words.length)
      }
    }
  }
  let clear = ''
  for (let at = 0; at < sentence.length; at++) {
    if (!masked[at]) clear += sentence[at]
    else if (!masked[at - 1]) clear += '[words]'
  }
  return clear
}

/** Of a rolling sum of eight characters; one that comes and one that goes cost the same, however much was said. */
const BASE = 0x01000193
const GOING = powerOf(SHORTEST_PASSAGE - 1)
const MARKS = 1 << 16

function powerOf(times: number): number {
  let power = 1
  for (let i = 0; i < times; i++) power = Math.imul(power, BASE)
  return power
}

/** A prompt may be megabytes long, and a fault comes to many answers at once: each character of it is looked at once. */
function passagesOf(sentence: string) {
  const places = new Map<string, number[]>()
  const marks = new Uint8Array(MARKS)
  eachSum(sentence, (sum, at) => {
    marks[markOf(sum)] = 1
    const passage = sentence.slice(at, at + SHORTEST_PASSAGE)
    const known = places.get(passage)
    if (known) known.push(at)
    else places.set(passage, [at])
  })
  return {
    placesIn(words: string): number[] {
      const found: number[] = []
      eachSum(words, (sum, at) => {
        if (marks[markOf(sum)] === 0) return
        const passage = words.slice(at, at + SHORTEST_PASSAGE)
        found.push(...(places.get(passage) ?? []))
        places.delete(passage)
      })
      return found
    },
  }
}

const markOf = (sum: number): number => (sum ^ (sum >>> 16)) & (MARKS - 1)

function eachSum(text: string, look: (sum: number, at: number) => void): void {
  let sum = 0
  for (let i = 0; i < text.length; i++) {
    if (i >= SHORTEST_PASSAGE) sum = (sum - Math.imul(text.charCodeAt(i - SHORTEST_PASSAGE), GOING)) | 0
    sum = (Math.imul(sum, BASE) + text.charCodeAt(i)) | 0
    if (i >= SHORTEST_PASSAGE - 1) look(sum, i - SHORTEST_PASSAGE + 1)
  }
}
