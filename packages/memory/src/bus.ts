import type { Bus, EdgeId, LogRead, ReplyPacket } from '@chatbox/core'
import type { Channels } from './channels.ts'
import { loaded, stored } from './codec.ts'
import { eventsAfter } from './log.ts'
import type { Users } from './users.ts'

export interface EdgeListener {
  reply(packet: ReplyPacket): void
  gap(): void
}

export type EdgeChannels = Channels<EdgeId, EdgeListener>

export function createBus(users: Users, edges: EdgeChannels): Bus {
  return {
    async append(uid, event, gen) {
      const log = users.log(uid)
      if (gen < log.gen) return { kind: 'stale' }
      log.gen = gen
      return { kind: 'appended', position: users.append(uid, event) }
    },
    async signal(uid, event) {
      users.publish(uid, stored(event))
    },
    async subscribe(uid, listener) {
      users.log(uid)
      const leave = users.listeners.add(uid, listener)
      return async () => {
        // From now on the log is kept for its idle time only, which begins here.
        users.log(uid)
        leave()
      }
    },
    async read(uid, after): Promise<LogRead> {
      const log = users.log(uid)
      const top = users.at(log, log.top)
      const events = eventsAfter(log, top.run, after)
      if (!events) return { kind: 'lost', top }
      return {
        kind: 'events',
        events: events.map(({ event, offset }) => ({ packet: loaded(event), position: users.at(log, offset) })),
        top,
      }
    },
    async top(uid) {
      const log = users.log(uid)
      return users.at(log, log.top)
    },
    async forget(uid) {
      users.forgetLog(uid)
    },
    async reply(edge, packet) {
      const kept = stored(packet)
      edges.post(edge, (listener) => listener.reply(loaded(kept)))
    },
    async listen(edge, reply, gap = () => undefined) {
      const leave = edges.add(edge, { reply, gap })
      return async () => leave()
    },
  }
}
