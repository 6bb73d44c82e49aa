/**
 * An answer's record in Lua: a hash {phase, attempt, seq, next, pieces, segments, bytes, workedAt, cancelled, fencedBy, end}, and a list
 * of so many packets, which are the chunks up to index `next`: segments first, that end at the indexes `segments` ('12 31'), then single
 * chunks. One index per user names the answers and their sessions. `phase` is that of the in-process store: none, open, ended, closed.
 *
 * The hash decides. A list that does not fit its hash, or an answer that the index does not name, is what an eviction left behind:
 * nothing can be added to it.
 */
export const RECORD_LUA = `
local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- For a key that lives as long as the longest of several things.
local function keep(key, ttl)
  if redis.call('PEXPIRE', key, ttl, 'GT') == 0 and redis.call('PTTL', key) == -1 then redis.call('PEXPIRE', key, ttl) end
end

local function keep_record(answer, chunks, index, ttl)
  redis.call('PEXPIRE', answer, ttl)
  redis.call('PEXPIRE', chunks, ttl)
  keep(index, ttl)
end

local function no_text(answer)
  redis.call('HSET', answer, 'next', 0, 'pieces', 0, 'segments', '', 'bytes', 0)
end

-- A record without an attempt: a cancel flag or a mark.
local function new_record(answer, index, id, sid, seq, phase)
  redis.call('HSET', answer, 'phase', phase, 'attempt', 0, 'seq', seq, 'workedAt', now_ms())
  no_text(answer)
  redis.call('HSET', index, id, sid)
end

local function text_of(chunks, pieces)
  local packets = redis.call('LRANGE', chunks, 0, -1)
  if #packets == tonumber(pieces) then return packets end
end

local function body_length(packet)
  return #packet - string.find(packet, '\\n', 1, true)
end
`

/**
 * For scripts that meet all answers of a user; those that have expired are forgotten on the way. Such a script is told the user's
 * channel as one of its keys. There is no key of that name, and a script is refused whose slot is on its way to another server while one
 * of its keys is not there: some of the answers would be here and some there.
 */
export const INDEX_LUA = `
local function live_answers(index, prefix)
  local named, live = redis.call('HGETALL', index), {}
  for i = 1, #named, 2 do
    local key = prefix .. named[i]
    local phase = redis.call('HGET', key, 'phase')
    if phase then live[#live + 1] = {id = named[i], sid = named[i + 1], key = key, phase = phase}
    else redis.call('HDEL', index, named[i]) end
  end
  return live
end
`

/** The owner epochs of a user's sessions: a hash of 'epoch:time of the last touch'. */
export const EPOCHS_LUA = `
local function epoch_in(value, now, ttl)
  if not value then return 0 end
  local epoch, touched = string.match(value, '^(%d+):(%d+)$')
  if now - touched >= tonumber(ttl) then return 0 end
  return tonumber(epoch)
end

local function set_epoch(epochs, sid, epoch, now, ttl)
  redis.call('HSET', epochs, sid, string.format('%.0f:%.0f', epoch, now))
  redis.call('PEXPIRE', epochs, ttl)
end
`
