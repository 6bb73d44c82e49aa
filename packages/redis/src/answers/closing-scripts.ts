import { script } from '../connection/script.ts'
import { EPOCHS_LUA, INDEX_LUA, RECORD_LUA } from './record-script.ts'

/** What a closed answer is told by; without its text where an eviction took a part of it. */
const CLOSED_LUA = `
local function closed(id, sid, answer, chunks)
  local known = redis.call('HMGET', answer, 'seq', 'attempt', 'pieces', 'end')
  return {id, sid, tonumber(known[1]), tonumber(known[2]), text_of(chunks, known[3]) or {}, known[4]}
end
`

/** KEYS answer, chunks, index. ARGV answer id, session, seq, ttl. */
export const closeAnswer = script(
  'close-answer',
  RECORD_LUA,
  CLOSED_LUA,
  `
local phase = redis.call('HGET', KEYS[1], 'phase')
if not phase then new_record(KEYS[1], KEYS[3], ARGV[1], ARGV[2], ARGV[3], 'closed')
elseif phase ~= 'closed' then redis.call('HSET', KEYS[1], 'phase', 'closed') end
keep_record(KEYS[1], KEYS[2], KEYS[3], ARGV[4])
return closed(ARGV[1], ARGV[2], KEYS[1], KEYS[2])
`,
)

/**
 * KEYS epochs, index, channel. ARGV session, epoch, ttl of epochs, ttl of closed answers, prefixes of the user's answers and of their chunks.
 *
 * Answers are closed when the epoch rises and at no other time: what a later attempt began under this epoch is none of a repetition's
 * business.
 */
export const fenceSession = script(
  'fence-session',
  RECORD_LUA,
  INDEX_LUA,
  EPOCHS_LUA,
  CLOSED_LUA,
  `
local epochs, index, sid, epoch, now = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2]), now_ms()
local rises = epoch > epoch_in(redis.call('HGET', epochs, sid), now, ARGV[3])
if rises then
  set_epoch(epochs, sid, epoch, now, ARGV[3])
  local all = redis.call('HGETALL', epochs)
  for i = 1, #all, 2 do
    if epoch_in(all[i + 1], now, ARGV[3]) == 0 then redis.call('HDEL', epochs, all[i]) end
  end
end
local told = {}
for _, one in ipairs(live_answers(index, ARGV[5])) do
  if one.sid == sid then
    local chunks = ARGV[6] .. one.id
    if rises and (one.phase == 'open' or one.phase == 'ended') then
      redis.call('HSET', one.key, 'phase', 'closed', 'fencedBy', ARGV[2])
      keep_record(one.key, chunks, index, ARGV[4])
    end
    local by = redis.call('HGET', one.key, 'fencedBy')
    if by and tonumber(by) == epoch then told[#told + 1] = closed(one.id, sid, one.key, chunks) end
  end
end
return told
`,
)

/** KEYS index, channel. ARGV session, ttl, prefixes of the user's answers and of their chunks. */
export const forgetSession = script(
  'forget-session',
  RECORD_LUA,
  INDEX_LUA,
  `
for _, one in ipairs(live_answers(KEYS[1], ARGV[3])) do
  if one.sid == ARGV[1] then
    local chunks = ARGV[4] .. one.id
    redis.call('DEL', chunks)
    if one.phase == 'none' then
      redis.call('DEL', one.key)
      redis.call('HDEL', KEYS[1], one.id)
    else
      redis.call('HDEL', one.key, 'end')
      redis.call('HSET', one.key, 'phase', 'closed')
      no_text(one.key)
      keep_record(one.key, chunks, KEYS[1], ARGV[2])
    end
  end
end
`,
)
