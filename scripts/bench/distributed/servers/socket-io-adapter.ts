import { createShardedAdapter } from '@socket.io/redis-adapter'
import { createAdapter } from '@socket.io/redis-streams-adapter'
import { createClient } from 'redis'
import { Server, type ServerOptions } from 'socket.io'

/** `sharded`: with a channel of its own for each room. `streams`: every server reads all that is sent to anybody. */
export type AdapterName = 'sharded' | 'streams'

/** By `redis`, because with ioredis the sharded adapter asks every room about every message. */
export async function redisAdapter(name: AdapterName, url: string): Promise<ServerOptions['adapter']> {
  const client = createClient({ url })
  const subscriber = client.duplicate()
  await Promise.all([client.connect(), subscriber.connect()])
  return name === 'streams'
    ? createAdapter(client, { onlyPlaintext: true, useShardedPubSub: true })
    : createShardedAdapter(client, subscriber)
}

export const roomOf = (user: string): string => `user:${user}`

/** A Socket.IO server that nobody connects to, as a backend has one to reach everybody's users. */
export async function openEmitter(
  name: AdapterName,
  url: string,
): Promise<{ emit(user: string, event: object): void }> {
  const io = new Server({ adapter: await redisAdapter(name, url) })
  return { emit: (user, event) => void io.to(roomOf(user)).emit('event', event) }
}
