import type { EndHeader, EntryHeader, EventHeader, Origin, OutcomeHeader, ReplyHeader } from '@chatbox/core'

/*
 * Additional data: where a sealed value belongs. Each part is written with its length, an absent one as `-`, in a fixed order,
 * so that no two places look alike; JSON would cost more and leaves the order of its keys to whoever wrote it.
 */
type Part = string | number | undefined

const part = (value: Part): string => {
  if (value === undefined) return '-'
  const text = typeof value === 'string' ? value : String(value)
  return `${text.length}:${text}`
}

/** Lengths above are those of UTF-16, and so is this; UTF-8 would make all lone surrogates the same. */
const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf16le')

/** Fails to compile when a header has a field that its encoder leaves out, because that field could be edited on the way. */
type Covers<H, Fields extends keyof H> = [Exclude<keyof H, Fields>] extends [never] ? (header: H) => string : never

type EventField = 'class' | 'type' | 'sid' | 'answerId' | 'attempt' | 'index' | 'epoch' | 'origin' | 'except'

const originParts: Covers<Origin, 'connectionId' | 'requestId'> = (origin) =>
  part(origin.connectionId) + part(origin.requestId)

const eventParts: Covers<EventHeader, EventField> = (h) =>
  part(h.class) +
  part(h.type) +
  part(h.sid) +
  part(h.answerId) +
  part(h.attempt) +
  part(h.index) +
  part(h.epoch) +
  (h.origin ? originParts(h.origin) : part(undefined)) +
  part(h.except)

const replyParts: Covers<ReplyHeader, 'target' | 'type' | 'requestId' | 'close'> = (h) =>
  part(h.target) + part(h.type) + part(h.requestId) + part(h.close)

const endParts: Covers<EndHeader, 'answerId' | 'attempt' | 'class'> = (h) =>
  part(h.answerId) + part(h.attempt) + part(h.class)

const entryParts: Covers<EntryHeader, 'requestId' | 'kind'> = (h) => part(h.requestId) + part(h.kind)

const outcomeParts: Covers<OutcomeHeader, 'requestId' | 'class'> = (h) => part(h.requestId) + part(h.class)

/** `name` is whose it is: the user's tag, the edge, the partition. */
export type HeaderAad<H> = (name: string, header: H) => Uint8Array

const headerAad =
  <H>(domain: string, parts: (header: H) => string): HeaderAad<H> =>
  (name, header) =>
    bytes(domain + part(name) + parts(header))

/** Chunks of answers too: what is recorded is what is published, sealed once. */
export const eventAad = headerAad('event', eventParts)
export const endAad = headerAad('end', endParts)
export const replyAad = headerAad('reply', replyParts)
export const entryAad = headerAad('entry', entryParts)
export const outcomeAad = headerAad('outcome', outcomeParts)

/** A field of a session's row. */
export const sessionAad = (sid: string, field: 'nm' | 'preview' | 'assistingAdminName' | 'key'): Uint8Array =>
  bytes(`session${part(sid)}${part(field)}`)

/** A field of one of its rows: `content` by seq, `text`, `thread` and the `comment` on it by the answer's id. */
export const turnAad = (
  sid: string,
  place: number | string,
  field: 'content' | 'text' | 'thread' | 'comment',
): Uint8Array => bytes(`turn${part(sid)}${part(place)}${part(field)}`)
