import type { Redis } from 'ioredis'
import { Unfit } from './faults.ts'

/** One life of a server process, between its start and its end. */
export interface ServerRun {
  readonly id: string
}

const OLDEST = 7

/** Asked once per connection, before anything else is (R24). */
export async function runOf(redis: Redis): Promise<ServerRun> {
  const info = await redis.info('server')
  const id = /^run_id:([0-9a-f]+)/m.exec(info)?.[1]
  const version = /^redis_version:(\d+)/m.exec(info)?.[1]
  if (id === undefined || Number(version) < OLDEST) throw new Unfit(`Redis ${OLDEST}.0 or newer is needed`)
  // It stands in every position that a client holds; 64 bits are enough to tell two lives apart.
  return { id: id.slice(0, 16) }
}
