import { LOG_LUA } from '../bus/log-script.ts'
import { script } from '../connection/script.ts'
import { EPOCHS_LUA, INDEX_LUA, RECORD_LUA } from './record-script.ts'

/**
 * KEYS answer, chunks, index, epochs, meta, events, channel. ARGV answer id, session, seq, attempt, epoch, the announcement's class,
 * its packet, fresh log id, run, bound of the log, ttl, prefix of the user's answers.
 *
 * A user who never comes back to a snapshot has an index that nobody tidies: every so often it is done here.
 */
export const beginAnswer = script(
  'begin-answer',
  LOG_LUA,
  RECORD_LUA,
  INDEX_LUA,
  EPOCHS_LUA,
  `
local answer, chunks, index, epochs, ttl, now = KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[11], now_ms()
local attempt = tonumber(ARGV[4])
local epoch = epoch_in(redis.call('HGET', epochs, ARGV[2]), now, ttl)
if epoch > 0 then set_epoch(epochs, ARGV[2], epoch, now, ttl) end
if tonumber(ARGV[5]) < epoch then return 'fenced' end
local known = redis.call('HMGET', answer, 'phase', 'attempt')
if known[1] == 'closed' then return 'ended' end
if known[1] and attempt <= tonumber(known[2]) then return 'stale' end
redis.call('HSET', answer, 'phase', 'open', 'attempt', attempt, 'seq', ARGV[3], 'next', 0, 'seg', 0, 'bytes', 0, 'workedAt', now)
redis.call('HDEL', answer, 'end')
redis.call('DEL', chunks)
redis.call('HSET', index, ARGV[1], ARGV[2])
if redis.call('HLEN', index) % 32 == 0 then live_answers(index, ARGV[12]) end
keep_record(answer, chunks, index, ttl)
if ARGV[6] == 'logged' then log_append(KEYS[5], KEYS[6], KEYS[7], ARGV[7], ARGV[8], ARGV[9], tonumber(ARGV[10]), ttl)
else publish(KEYS[7], '', ARGV[7]) end
return 'begun'
`,
)

/** KEYS answer, chunks, index, channel. ARGV answer id, attempt, index, packet, bound, ttl. */
export const appendChunk = script(
  'append-chunk',
  LOG_LUA,
  RECORD_LUA,
  `
local answer, chunks, index = KEYS[1], KEYS[2], KEYS[3]
local known = redis.call('HMGET', answer, 'phase', 'attempt', 'next', 'seg', 'bytes')
local phase = known[1]
if not phase then return 'gone' end
if phase == 'closed' then return 'ended' end
local attempt, current = tonumber(ARGV[2]), tonumber(known[2])
if attempt < current then return 'stale' end
if attempt > current or phase == 'none' then return 'gone' end
if phase == 'ended' then return 'ended' end
local at, next = tonumber(ARGV[3]), tonumber(known[3])
if at > next then return 'gone' end
if redis.call('LLEN', chunks) ~= pieces_of(next, tonumber(known[4])) then return 'gone' end
if redis.call('HEXISTS', index, ARGV[1]) == 0 then return 'gone' end
if at < next then
  redis.call('HSET', answer, 'workedAt', now_ms())
  keep_record(answer, chunks, index, ARGV[6])
  return 'accepted'
end
local bytes = tonumber(known[5]) + body_length(ARGV[4])
if bytes > tonumber(ARGV[5]) then return 'full' end
redis.call('RPUSH', chunks, ARGV[4])
redis.call('HSET', answer, 'next', next + 1, 'bytes', bytes, 'workedAt', now_ms())
keep_record(answer, chunks, index, ARGV[6])
publish(KEYS[4], '', ARGV[4])
return 'accepted'
`,
)

/** KEYS answer, chunks. ARGV attempt, up to which index, packet, bound. */
export const mergeChunks = script(
  'merge-chunks',
  RECORD_LUA,
  `
local answer, chunks = KEYS[1], KEYS[2]
local known = redis.call('HMGET', answer, 'phase', 'attempt', 'next', 'seg', 'bytes')
if known[1] ~= 'open' or tonumber(ARGV[1]) ~= tonumber(known[2]) then return 0 end
local up_to, next, seg = tonumber(ARGV[2]), tonumber(known[3]), tonumber(known[4])
local first = math.max(seg, 1)
if up_to < first or up_to > next or redis.call('LLEN', chunks) ~= pieces_of(next, seg) then return 0 end
local last = up_to - first
local bytes = tonumber(known[5]) + body_length(ARGV[3])
for _, packet in ipairs(redis.call('LRANGE', chunks, 0, last)) do bytes = bytes - body_length(packet) end
if bytes > tonumber(ARGV[4]) then return 0 end
redis.call('LSET', chunks, last, ARGV[3])
redis.call('LTRIM', chunks, last, -1)
redis.call('HSET', answer, 'seg', up_to, 'bytes', bytes)
return 1
`,
)

/** KEYS answer, chunks, index. ARGV attempt, packet, ttl. */
export const endAnswer = script(
  'end-answer',
  RECORD_LUA,
  `
local known = redis.call('HMGET', KEYS[1], 'phase', 'attempt')
local phase = known[1]
if not phase then return 'gone' end
local attempt, current = tonumber(ARGV[1]), tonumber(known[2])
if attempt < current then return 'stale' end
if attempt == current and redis.call('HEXISTS', KEYS[1], 'end') == 1 then return 'ended' end
if phase == 'closed' then return 'stale' end
if attempt > current or phase == 'none' then return 'gone' end
redis.call('HSET', KEYS[1], 'phase', 'ended', 'end', ARGV[2])
keep_record(KEYS[1], KEYS[2], KEYS[3], ARGV[3])
return 'ended'
`,
)
