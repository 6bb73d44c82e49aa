import { createShardedAdapter } from '@socket.io/redis-adapter'
import { createClient } from 'redis'
import { Server } from 'socket.io'

/** With a channel of its own for each room. By `redis`, because with ioredis the adapter asks every room about every message. */
export async function shardedAdapter(redisUrl: string): Promise<ReturnType<typeof createShardedAdapter>> {
  const publisher = createClient({ url: redisUrl })
  const subscriber = publisher.duplicate()
  await Promise.all([publisher.connect(), subscriber.connect()])
  return createShardedAdapter(publisher, subscriber)
}

export const roomOf = (user: string): string => `user:${user}`

/** A Socket.IO server that nobody connects to, as a backend has one to reach everybody's users. */
export async function openEmitter(redisUrl: string): Promise<{ emit(user: string, event: object): void }> {
  const io = new Server({ adapter: await shardedAdapter(redisUrl) })
  return { emit: (user, event) => void io.to(roomOf(user)).emit('event', event) }
}
