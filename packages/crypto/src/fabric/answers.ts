import type {
  AnswerRecord,
  AnswerRef,
  Answers,
  ChunkPacket,
  ClosedAnswer,
  EndPacket,
  OpenAnswer,
  UserId,
} from '@chatbox/core'
import { endAad, eventAad } from '../aad.ts'
import type { Seals, User } from './seals.ts'

/**
 * A chunk is sealed once: what is recorded is what is published. One that is sent again is sealed again, so that an adapter knows
 * it by its index and not by its bytes (R14).
 *
 * What does not open must not keep anybody from going on, for the database has the truth. A snapshot leaves the answer out, whose
 * devices then get its text when it is done. A closed answer ends before the first chunk that does not open; an end that does not
 * open counts as not recorded. Chunks and ends of another answer or attempt do not open here.
 */
export function sealedAnswers(answers: Answers, seals: Seals): Answers {
  const sealRef = (ref: AnswerRef): AnswerRef => ({ ...ref, uid: seals.user(ref.uid).tag })

  const openChunk = (user: User, of: Of, packet: ChunkPacket): ChunkPacket | undefined => {
    const opened = seals.open('chunk', user, eventAad, packet)
    if (!opened || belongs(opened.header, of)) return opened
    seals.misplaced('chunk')
    return undefined
  }
  const openEnd = (user: User, of: Of, packet: EndPacket | undefined): EndPacket | undefined => {
    const opened = packet && seals.open('end', user, endAad, packet)
    if (!opened || belongs(opened.header, of)) return opened
    seals.misplaced('end')
    return undefined
  }

  const openRecord = (ref: AnswerRef, record: AnswerRecord): AnswerRecord => {
    const { end, ...rest } = record
    const opened = openEnd(seals.user(ref.uid), { answerId: ref.answerId, attempt: record.attempt }, end)
    return { ...rest, ...(opened && { end: opened }) }
  }
  const openOpen = (uid: UserId, open: OpenAnswer): OpenAnswer | undefined => {
    const chunks = openUntilFault(seals.user(uid), open)
    return chunks.length === open.chunks.length ? { ...open, ref: { ...open.ref, uid }, chunks } : undefined
  }
  const openClosed = (uid: UserId, closed: ClosedAnswer): ClosedAnswer => {
    const { end, ...rest } = closed
    const user = seals.user(uid)
    const opened = openEnd(user, { answerId: closed.ref.answerId, attempt: closed.attempt }, end)
    return {
      ...rest,
      ref: { ...closed.ref, uid },
      chunks: openUntilFault(user, closed),
      ...(opened && { end: opened }),
    }
  }
  function openUntilFault(user: User, { ref, attempt, chunks }: ClosedAnswer | OpenAnswer): ChunkPacket[] {
    const of = { answerId: ref.answerId, attempt }
    const opened: ChunkPacket[] = []
    for (const packet of chunks) {
      const chunk = openChunk(user, of, packet)
      if (!chunk) break
      opened.push(chunk)
    }
    return opened
  }

  return {
    async begin(ref, attempt, epoch, announce) {
      return answers.begin(sealRef(ref), attempt, epoch, seals.seal(seals.user(ref.uid), eventAad, announce))
    },
    async append(chunks) {
      return answers.append(
        chunks.map((append) => {
          const user = seals.user(append.ref.uid)
          return { ...append, ref: { ...append.ref, uid: user.tag }, chunk: seals.seal(user, eventAad, append.chunk) }
        }),
      )
    },
    async merge(ref, attempt, from, upTo, segment) {
      return answers.merge(sealRef(ref), attempt, from, upTo, seals.seal(seals.user(ref.uid), eventAad, segment))
    },
    cancel: async (ref) => answers.cancel(sealRef(ref)),
    cancelled: async (refs) => answers.cancelled(refs.map(sealRef)),
    onCancel: (listener) => answers.onCancel(listener),
    async end(ref, attempt, end) {
      return answers.end(sealRef(ref), attempt, seals.seal(seals.user(ref.uid), endAad, end))
    },
    async inspect(refs) {
      const records = await answers.inspect(refs.map(sealRef))
      return refs.map((ref, i) => records[i] && openRecord(ref, records[i]))
    },
    async snapshot(uid) {
      const { open, ...rest } = await answers.snapshot(seals.user(uid).tag)
      return { ...rest, open: open.map((answer) => openOpen(uid, answer)).filter((answer) => answer !== undefined) }
    },
    async close(ref) {
      return openClosed(ref.uid, await answers.close(sealRef(ref)))
    },
    async fence(uid, sid, epoch) {
      const closed = await answers.fence(seals.user(uid).tag, sid, epoch)
      return closed.map((answer) => openClosed(uid, answer))
    },
    forget: async (uid, sid) => answers.forget(seals.user(uid).tag, sid),
  }
}

interface Of {
  readonly answerId: string
  readonly attempt: number
}

/** The header is sealed with the body, but the two together could be put in the place of another packet. */
const belongs = (header: { readonly answerId?: string; readonly attempt?: number }, of: Of): boolean =>
  header.answerId === of.answerId && header.attempt === of.attempt
