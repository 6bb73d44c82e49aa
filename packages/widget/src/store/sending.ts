import type { Chat } from '@chatbox/client'
import type { SpokenView } from '@chatbox/protocol'
import { randomId } from '../platform/ids.ts'
import type { Cell } from './cell.ts'
import { failureOf } from './failure.ts'
import type { KeptOutbox } from './kept-outbox.ts'
import type { Model, Outgoing } from './model.ts'

export interface Sender {
  send(message: Omit<Outgoing, 'clientMessageId'>): void
  retry(clientMessageId: string): void
  discard(clientMessageId: string): void
  /** What was not accepted when the page was left last time, sent again. */
  restore(): Outgoing[]
  /** The server has this message, whoever said so. */
  accepted(message: SpokenView): Outgoing | undefined
  forget(): void
}

/** Keeps `model.outbox`: what the client is sending and what could not be sent. */
export function createSender(chat: Chat, model: Cell<Model>, kept: KeptOutbox): Sender {
  const abandon = new Map<string, () => void>()

  /** What was kept must be read before it is written over. */
  let isRestored = false

  const write = (outbox: readonly Outgoing[]) => {
    if (isRestored) kept.write(outbox)
    model.set({ ...model.get(), outbox })
  }
  const find = (clientMessageId: string) =>
    model.get().outbox.find((message) => message.clientMessageId === clientMessageId)
  const replace = (message: Outgoing) =>
    write(model.get().outbox.map((other) => (other.clientMessageId === message.clientMessageId ? message : other)))
  const remove = (clientMessageId: string) => {
    abandon.delete(clientMessageId)
    write(model.get().outbox.filter((message) => message.clientMessageId !== clientMessageId))
  }

  const transmit = (message: Outgoing) => {
    const { failure: _failure, ...body } = message
    const sending = chat.send(body)
    abandon.set(message.clientMessageId, sending.abandon)
    sending.accepted.catch((error: unknown) => {
      // Discarded, or accepted over another way in the meantime.
      if (abandon.get(message.clientMessageId) !== sending.abandon) return
      const current = find(message.clientMessageId)
      if (current) replace({ ...current, failure: failureOf(error) })
    })
  }

  return {
    send(message) {
      const outgoing = { ...message, clientMessageId: randomId() }
      write([...model.get().outbox, outgoing])
      transmit(outgoing)
    },
    retry(clientMessageId) {
      const message = find(clientMessageId)
      if (!message?.failure) return
      const { failure: _failure, ...again } = message
      replace(again)
      transmit(again)
    },
    discard(clientMessageId) {
      const stop = abandon.get(clientMessageId)
      remove(clientMessageId)
      stop?.()
    },
    restore() {
      const here = new Set(model.get().outbox.map((message) => message.clientMessageId))
      const old = kept.read().filter((message) => !here.has(message.clientMessageId))
      isRestored = true
      write([...old, ...model.get().outbox])
      for (const message of old) if (!message.failure) transmit(message)
      return old
    },
    accepted({ clientMessageId, sid }) {
      const message = clientMessageId === undefined ? undefined : find(clientMessageId)
      if (!message) return undefined
      remove(message.clientMessageId)
      if (message.newChat !== undefined && message.sid === undefined) {
        // Those that wait for this new chat know now where they go, also after a reload.
        write(model.get().outbox.map((other) => (other.newChat === message.newChat ? { ...other, sid } : other)))
      }
      return message
    },
    forget() {
      const stops = [...abandon.values()]
      abandon.clear()
      write([])
      for (const stop of stops) stop()
    },
  }
}
