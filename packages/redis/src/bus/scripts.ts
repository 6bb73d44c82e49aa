import { script } from '../connection/script.ts'
import { LOG_LUA } from './log-script.ts'

/** KEYS meta, events, channel. ARGV packet, gen, fresh id, run, bound, ttl. */
export const appendEvent = script(
  'append-event',
  LOG_LUA,
  `
local known = tonumber(redis.call('HGET', KEYS[1], 'gen') or '0')
local gen = tonumber(ARGV[2])
if gen < known then return {'stale'} end
local id, top = log_append(KEYS[1], KEYS[2], KEYS[3], ARGV[1], ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6])
if gen > known then redis.call('HSET', KEYS[1], 'gen', ARGV[2]) end
return {'appended', id, top}
`,
)

/**
 * KEYS meta, events, channel. ARGV fresh id, ttl. What is published is nothing at all, which is a gap to whoever is subscribed. The
 * generation stays, so that an owner of before still announces nothing (R6).
 */
export const forgetLog = script(
  'forget-log',
  `
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'top', 0)
redis.call('HSETNX', KEYS[1], 'gen', 0)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('SPUBLISH', KEYS[3], '')
`,
)

/** KEYS meta, events, more keys that live as long. ARGV fresh id, ttl. */
export const touchLog = script(
  'touch-log',
  LOG_LUA,
  `
local id = log_id(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[2]) end
return {id, tonumber(redis.call('HGET', KEYS[1], 'top'))}
`,
)

/** KEYS meta, events. ARGV fresh id, ttl, the log's id or '', after which offset, how many at most. */
export const readLog = script(
  'read-log',
  LOG_LUA,
  `
local id = log_id(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local top = tonumber(redis.call('HGET', KEYS[1], 'top'))
local length = redis.call('LLEN', KEYS[2])
local after = tonumber(ARGV[4])
if ARGV[3] ~= id or after > top or after < top - length then return {'lost', id, top} end
local from = after - (top - length)
return {'events', id, top, redis.call('LRANGE', KEYS[2], from, from + tonumber(ARGV[5]) - 1)}
`,
)
