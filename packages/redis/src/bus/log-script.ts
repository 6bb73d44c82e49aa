/**
 * A user's log in Lua, for the scripts that add to it: a hash with its random id, its top offset and the highest generation that an
 * owner has shown (R6), and a list of its last events, whose offsets follow from the top. One without the other, after an eviction,
 * is no log: the hash decides.
 */
export const LOG_LUA = `
local function log_id(meta, events, fresh, ttl)
  local id = redis.call('HGET', meta, 'id')
  if not id then
    redis.call('DEL', meta, events)
    redis.call('HSET', meta, 'id', fresh, 'top', 0, 'gen', 0)
    redis.call('PEXPIRE', meta, ttl)
    id = fresh
  end
  return id
end

local function publish(channel, position, packet)
  redis.call('SPUBLISH', channel, position .. '\\n' .. packet)
end

local function log_append(meta, events, channel, packet, fresh, run, bound, ttl)
  local id = log_id(meta, events, fresh, ttl)
  local top = redis.call('HINCRBY', meta, 'top', 1)
  local length = redis.call('RPUSH', events, packet)
  if length > bound then redis.call('LPOP', events, length - bound) end
  redis.call('PEXPIRE', meta, ttl)
  redis.call('PEXPIRE', events, ttl)
  publish(channel, id .. '.' .. run .. '.' .. string.format('%.0f', top), packet)
  return id, top
end
`
