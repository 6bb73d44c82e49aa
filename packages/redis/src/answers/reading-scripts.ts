import { LOG_LUA } from '../bus/log-script.ts'
import { script } from '../connection/script.ts'
import { EPOCHS_LUA, INDEX_LUA, RECORD_LUA } from './record-script.ts'

/**
 * KEYS meta, events, index, epochs, channel. ARGV fresh log id, ttl, prefixes of the user's answers and of their chunks. All of it is of one
 * instant (R21). An answer of whose text a part was evicted counts as lost.
 */
export const snapshotAnswers = script(
  'snapshot-answers',
  LOG_LUA,
  RECORD_LUA,
  INDEX_LUA,
  EPOCHS_LUA,
  `
local id = log_id(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local top, now = tonumber(redis.call('HGET', KEYS[1], 'top')), now_ms()
local epochs, all = {}, redis.call('HGETALL', KEYS[4])
for i = 1, #all, 2 do
  local epoch = epoch_in(all[i + 1], now, ARGV[2])
  if epoch > 0 then epochs[#epochs + 1] = {all[i], epoch} end
end
local open = {}
for _, one in ipairs(live_answers(KEYS[3], ARGV[3])) do
  if one.phase == 'open' then
    local known = redis.call('HMGET', one.key, 'seq', 'attempt', 'next', 'pieces')
    local text = text_of(ARGV[4] .. one.id, known[4])
    if text then
      open[#open + 1] = {one.id, one.sid, tonumber(known[1]), tonumber(known[2]), tonumber(known[3]), text}
    end
  end
end
return {id, top, epochs, open}
`,
)

/** KEYS answer. */
export const inspectAnswer = script(
  'inspect-answer',
  RECORD_LUA,
  `
local known = redis.call('HMGET', KEYS[1], 'phase', 'attempt', 'workedAt', 'end')
if not known[1] or known[1] == 'none' then return false end
return {known[1], tonumber(known[2]), now_ms() - known[3], known[4]}
`,
)

/** KEYS answer, chunks, index. ARGV answer id, session, seq, ttl. */
export const cancelAnswer = script(
  'cancel-answer',
  RECORD_LUA,
  `
local phase = redis.call('HGET', KEYS[1], 'phase')
if not phase then new_record(KEYS[1], KEYS[3], ARGV[1], ARGV[2], ARGV[3], 'none') end
redis.call('HSET', KEYS[1], 'cancelled', 1)
if not phase or phase == 'none' then keep_record(KEYS[1], KEYS[2], KEYS[3], ARGV[4]) end
`,
)

/** KEYS answer. */
export const readCancelled = script('read-cancelled', "return redis.call('HEXISTS', KEYS[1], 'cancelled')")
