const encoder = new TextEncoder()

/** How many UTF-16 units from the start fit into so many bytes of UTF-8, no character being split. */
export const unitsWithin = (text: string, bytes: number): number =>
  encoder.encodeInto(text, new Uint8Array(Math.max(0, bytes))).read

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00

/** What a provider has said so far: well-formed, whole characters, and never longer than its bound (R14). */
export interface Spoken {
  readonly text: string
  readonly units: number
  /** The text from there on; cheap for what was said lately, however long the whole is. */
  from(unit: number): string
  /** More was said than there is room for; the rest is not here. */
  readonly full: boolean
  add(piece: string): void
  /** Nothing follows: half a character that was waiting for its other half becomes U+FFFD. */
  finish(): void
  /** Forgets what comes after so many UTF-16 units. */
  truncate(units: number): void
}

/** Appending to a string and reading from it in turn copies all of it each time; so only its end is read from. */
const BLOCK = 8_192

export function spokenText(maxBytes: number): Spoken {
  let head = ''
  let tail = ''
  let bytes = 0
  let half = ''
  let full = false

  function take(more: string): void {
    const fitting =
      Buffer.byteLength(more) <= maxBytes - bytes ? more : more.slice(0, unitsWithin(more, maxBytes - bytes))
    full ||= fitting.length < more.length
    if (tail.length > BLOCK) {
      head += tail
      tail = ''
    }
    tail += fitting
    bytes += Buffer.byteLength(fitting)
  }

  return {
    get text() {
      return head + tail
    },
    get units() {
      return head.length + tail.length
    },
    from: (unit) => (unit >= head.length ? tail.slice(unit - head.length) : (head + tail).slice(unit)),
    get full() {
      return full
    },
    add(piece) {
      if (full) return
      const more = half + piece
      // Some providers cut their JSON between the two halves of a character.
      const whole = isHighSurrogate(more.charCodeAt(more.length - 1)) ? more.length - 1 : more.length
      half = more.slice(whole)
      take(more.slice(0, whole).toWellFormed())
    },
    finish() {
      if (half !== '' && !full) take(half.toWellFormed())
      half = ''
    },
    truncate(units) {
      head = (head + tail).slice(0, units)
      tail = ''
      bytes = Buffer.byteLength(head)
      half = ''
    },
  }
}
