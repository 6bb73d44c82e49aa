import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './lib/port.ts'
import { startServer } from './lib/server-process.ts'
import { type RedisSource, runRedis } from './redis.ts'
import type { RunningServer } from './running.ts'

/** A master with one replica, and a sentinel that decides alone. */
export interface RedisSentinel {
  readonly url: string
  readonly master: RunningServer
  readonly replica: RunningServer
  /** Resolves when the sentinel names another master than this one. */
  failedOver(from: RunningServer): Promise<void>
  stop(): Promise<void>
}

export interface RedisSentinelOptions {
  /** Who the sentinel asks for; nobody else gets in. The servers ask for nobody. */
  readonly login?: { readonly username: string; readonly password: string }
}

const NAME = 'chat'
const DOWN_AFTER_MS = 500
const WITHIN_MS = 20_000

export async function runRedisSentinel(
  source: RedisSource,
  { login }: RedisSentinelOptions = {},
): Promise<RedisSentinel> {
  if (source.kind !== 'program') throw new Error('a sentinel needs a redis-server on this machine')
  const master = await runRedis(source)
  const replica = await runRedis(source, { args: ['--replicaof', '127.0.0.1', String(master.port)] })
  await until(replica.port, async (redis) => (await redis.info('replication')).includes('master_link_status:up'))
  const dir = await mkdtemp(join(tmpdir(), 'chatbox-sentinel-'))
  const port = await freePort()
  const file = join(dir, 'sentinel.conf')
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${dir}`,
      `sentinel monitor ${NAME} 127.0.0.1 ${master.port} 1`,
      `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
      `sentinel failover-timeout ${NAME} 5000`,
      ...(login ? [`user ${login.username} on >${login.password} ~* &* +@all`, 'user default off'] : []),
      '',
    ].join('\n'),
  )
  const sentinel = await startServer({
    program: source.path,
    argv0: 'redis-server',
    args: [file, '--sentinel'],
    ready: /\+monitor master/,
    folder: dir,
  })
  const named = async (redis: Redis) => String(await redis.call('SENTINEL', 'replicas', NAME))
  await until(port, async (redis) => (await named(redis)).includes(`${replica.port}`), login)
  return {
    url: `redis+sentinel://127.0.0.1:${port}/${NAME}`,
    master,
    replica,
    failedOver(from) {
      const another = async (redis: Redis) => {
        const master = await redis.call('SENTINEL', 'get-master-addr-by-name', NAME)
        return Array.isArray(master) && Number(master[1]) !== from.port
      }
      return until(port, another, login)
    },
    async stop() {
      await sentinel.stop()
      await Promise.all([master.stop(), replica.stop()])
    },
  }
}

async function until(
  port: number,
  holds: (redis: Redis) => Promise<boolean>,
  login: RedisSentinelOptions['login'] = undefined,
): Promise<void> {
  const redis = new Redis({ host: '127.0.0.1', port, ...login })
  try {
    const end = Date.now() + WITHIN_MS
    while (!(await holds(redis))) {
      if (Date.now() > end) throw new Error('the sentinel and its servers did not come to terms')
      await pause(20)
    }
  } finally {
    redis.disconnect()
  }
}
