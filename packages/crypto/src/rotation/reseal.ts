import { type SealedConversations, type SealedNames, type SessionId, type Turn, Unopenable } from '@chatbox/core'
import { sessionAad, turnAad } from '../aad.ts'
import { boxOf, type KeySet, nameOf } from '../conversations/key-set.ts'
import { mapNames, mapTurn } from '../conversations/map-rows.ts'
import { isSealed, keyIdOf } from '../value.ts'

type SealedTurn = Turn<Uint8Array, Uint8Array>
type Asked = Pick<SealedConversations, 'session' | 'turn' | 'turns' | 'resealNames' | 'resealTurn'>

export interface Resealed {
  /** Values that were sealed by an older key, and are by the newest now. */
  readonly values: number
  /** False if a value does not open, which was left as it is. */
  readonly whole: boolean
}

const PAGE = 50

/** Seals every value of a session by the newest of its keys; beside writers, because what was changed meanwhile is read again. */
export async function resealSession(conversations: Asked, sid: SessionId, keys: KeySet): Promise<Resealed> {
  const box = boxOf(keys)
  const newest = nameOf(keys[0])
  let values = 0
  let whole = true

  /** Rows as they would be, and how many of their values are others. */
  function anew<Row>(change: (seal: (value: Uint8Array, aad: Uint8Array) => Uint8Array) => Row) {
    let changed = 0
    const row = change((value, aad) => {
      // What was erased is zero bytes.
      if (value.length === 0 || (isSealed(value) && keyIdOf(value) === newest)) return value
      try {
        const opened = box.open(value, aad)
        const sealed = box.seal(opened, aad)
        opened.fill(0)
        changed += 1
        return sealed
      } catch (error) {
        if (!(error instanceof Unopenable)) throw error
        whole = false
        return value
      }
    })
    return { row, changed }
  }

  async function names(): Promise<void> {
    for (;;) {
      const session = await conversations.session(sid)
      if (!session) return
      const from = mapNames(session, (name: Uint8Array) => name)
      const { row, changed } = anew<SealedNames>((seal) =>
        mapNames(from, (name: Uint8Array, field) => seal(name, sessionAad(sid, field))),
      )
      if (changed > 0 && !(await conversations.resealNames(sid, from, row))) continue
      values += changed
      return
    }
  }

  async function turn(read: SealedTurn): Promise<void> {
    for (let from: SealedTurn | undefined = read; from; from = await conversations.turn(sid, read.seq)) {
      const known: SealedTurn = from
      const { row, changed } = anew((seal) =>
        mapTurn(
          known,
          (content) => seal(content, turnAad(sid, known.seq, 'content')),
          (text, id, field) => seal(text, turnAad(sid, id, field)),
        ),
      )
      if (changed > 0 && !(await conversations.resealTurn(known, row))) continue
      values += changed
      return
    }
  }

  await names()
  for (let after = 0; ; ) {
    const page = await conversations.turns(sid, { limit: PAGE, after })
    for (const each of page) await turn(each)
    const last = page.at(-1)
    if (!last || page.length < PAGE) return { values, whole }
    after = last.seq + last.width - 1
  }
}
