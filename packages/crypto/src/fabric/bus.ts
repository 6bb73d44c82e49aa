import type { Bus, EventPacket, LoggedEvent, ReplyPacket } from '@chatbox/core'
import { eventAad, replyAad } from '../aad.ts'
import type { Seals, User } from './seals.ts'

/**
 * An event that does not open is a gap (R25): its listener reads the log, and there it makes the log `lost`, so that the client
 * reloads instead of missing it (P4). A reply that does not open is a gap too.
 */
export function sealedBus(bus: Bus, seals: Seals): Bus {
  const open = (user: User, packet: EventPacket) => seals.open('event', user, eventAad, packet)

  return {
    async append(uid, event, gen) {
      const user = seals.user(uid)
      return bus.append(user.tag, seals.seal(user, eventAad, event), gen)
    },
    async signal(uid, event) {
      const user = seals.user(uid)
      return bus.signal(user.tag, seals.seal(user, eventAad, event))
    },
    async subscribe(uid, listener) {
      const user = seals.user(uid)
      return bus.subscribe(user.tag, {
        event(packet, position) {
          const opened = open(user, packet)
          if (opened) listener.event(opened, position)
          else listener.gap()
        },
        gap: () => listener.gap(),
      })
    },
    async read(uid, after) {
      const user = seals.user(uid)
      const read = await bus.read(user.tag, after)
      if (read.kind === 'lost') return read
      const events: LoggedEvent[] = []
      for (const { packet, position } of read.events) {
        const opened = open(user, packet)
        if (!opened) return { kind: 'lost', top: read.top }
        events.push({ packet: opened, position })
      }
      return { kind: 'events', events, top: read.top }
    },
    top: async (uid) => bus.top(seals.user(uid).tag),
    forget: async (uid) => bus.forget(seals.user(uid).tag),
    reply: async (edge, packet) => bus.reply(edge, seals.seal(seals.edge(edge), replyAad, packet)),
    async listen(edge, listener, gap) {
      const owner = seals.edge(edge)
      const heard = (packet: ReplyPacket) => {
        const opened = seals.open('reply', owner, replyAad, packet)
        if (opened) listener(opened)
        else gap?.()
      }
      return bus.listen(edge, heard, gap)
    },
  }
}
