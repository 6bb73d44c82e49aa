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
redis.call('HSET', answer, 'phase', 'open', 'attempt', attempt, 'seq', ARGV[3], 'workedAt', now)
no_text(answer)
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
local known = redis.call('HMGET', answer, 'phase', 'attempt', 'next', 'pieces', 'bytes')
local phase = known[1]
if not phase then return 'gone' end
if phase == 'closed' then return 'ended' end
local attempt, current = tonumber(ARGV[2]), tonumber(known[2])
if attempt < current then return 'stale' end
if attempt > current or phase == 'none' then return 'gone' end
if phase == 'ended' then return 'ended' end
local at, next = tonumber(ARGV[3]), tonumber(known[3])
if at > next then return 'gone' end
local pieces = tonumber(known[4])
if redis.call('LLEN', chunks) ~= pieces then return 'gone' end
if redis.call('HEXISTS', index, ARGV[1]) == 0 then return 'gone' end
if at < next then
  redis.call('HSET', answer, 'workedAt', now_ms())
  keep_record(answer, chunks, index, ARGV[6])
  return 'accepted'
end
local bytes = tonumber(known[5]) + body_length(ARGV[4])
if bytes > tonumber(ARGV[5]) then return 'full' end
redis.call('RPUSH', chunks, ARGV[4])
redis.call('HSET', answer, 'next', next + 1, 'pieces', pieces + 1, 'bytes', bytes, 'workedAt', now_ms())
keep_record(answer, chunks, index, ARGV[6])
publish(KEYS[4], '', ARGV[4])
return 'accepted'
`,
)

/** KEYS answer, chunks. ARGV attempt, from which index, up to which, packet, bound. */
export const mergeChunks = script(
  'merge-chunks',
  RECORD_LUA,
  `
local answer, chunks = KEYS[1], KEYS[2]
local known = redis.call('HMGET', answer, 'phase', 'attempt', 'next', 'pieces', 'segments', 'bytes')
if known[1] ~= 'open' or tonumber(ARGV[1]) ~= tonumber(known[2]) then return 0 end
local from, up_to, packet = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local pieces = tonumber(known[4])
if up_to <= from or up_to > tonumber(known[3]) or redis.call('LLEN', chunks) ~= pieces then return 0 end

-- The places of the first piece that is replaced, and of the one behind the last.
local first, behind, merged, count = nil, nil, 0, 0
if from == 0 then first = 0 end
local earlier, later = {}, {}
for word in string.gmatch(known[5], '%d+') do
  local index = tonumber(word)
  count = count + 1
  merged = index
  if index == from then first = count end
  if index == up_to then behind = count end
  if index <= from then earlier[#earlier + 1] = word end
  if index > up_to then later[#later + 1] = word end
end
if up_to > merged then behind = count + up_to - merged end
if not first or not behind then return 0 end

local bytes = tonumber(known[6]) + body_length(packet)
for _, piece in ipairs(redis.call('LRANGE', chunks, first, behind - 1)) do bytes = bytes - body_length(piece) end
if bytes > tonumber(ARGV[5]) then return 0 end
local rest = redis.call('LRANGE', chunks, behind, -1)
redis.call('LSET', chunks, first, packet)
redis.call('LTRIM', chunks, 0, first)
for _, piece in ipairs(rest) do redis.call('RPUSH', chunks, piece) end
earlier[#earlier + 1] = ARGV[3]
for _, word in ipairs(later) do earlier[#earlier + 1] = word end
redis.call('HSET', answer, 'pieces', pieces - (behind - first) + 1, 'segments', table.concat(earlier, ' '), 'bytes', bytes)
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
no_text(KEYS[1])
keep_record(KEYS[1], KEYS[2], KEYS[3], ARGV[3])
redis.call('DEL', KEYS[2])
return 'ended'
`,
)
