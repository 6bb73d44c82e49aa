import { script } from '../connection/script.ts'

/**
 * The edges that live: a hash of each edge's life, when its lease ends, and whether it has renewed, which it does when it has
 * registered everything it holds. Every call sees all of them, and takes out those whose lease is over.
 */
const EDGES_LUA = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function living()
  local found = {}
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local life, ends, renewed = string.match(all[i + 1], '^(%S+) (%d+) (%d)$')
    if tonumber(ends) > now then found[all[i]] = {life, tonumber(ends), renewed}
    else redis.call('HDEL', KEYS[1], all[i]) end
  end
  return found
end

local function list(found)
  local rows = {}
  for edge, entry in pairs(found) do rows[#rows + 1] = {edge, entry[1], entry[2] - now} end
  return rows
end
`

/** KEYS edges. */
export const readEdges = script('read-edges', EDGES_LUA, 'return list(living())')

/**
 * KEYS edges. ARGV edge, lease, a fresh life, whether to begin that life in any case, whether this renews. Whether it had renewed
 * before, then all that live.
 */
export const touchEdge = script(
  'touch-edge',
  EDGES_LUA,
  `
local found = living()
local entry = found[ARGV[1]]
if not entry or ARGV[4] == '1' then entry = {ARGV[3], now + ARGV[2], '0'} end
local known = entry[3]
if ARGV[5] == '1' then
  entry[2] = now + ARGV[2]
  entry[3] = '1'
end
found[ARGV[1]] = entry
redis.call('HSET', KEYS[1], ARGV[1], string.format('%s %.0f %s', entry[1], entry[2], entry[3]))
return {known, list(found)}
`,
)

/**
 * KEYS a user's rows: connection id -> JSON of [life, edge, device, since]. ARGV the connection, its row, its device, the cap, how
 * long rows are kept, then lives that are over. Whether it is in, the rows it replaces, all rows then.
 */
export const registerRow = script(
  'register-row',
  `
local over = {}
for i = 6, #ARGV do over[ARGV[i]] = true end
local all = redis.call('HGETALL', KEYS[1])
local replaced, others, known = {}, {}, false
for i = 1, #all, 2 do
  local row = cjson.decode(all[i + 1])
  if over[row[1]] then redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] == ARGV[1] then known = true
  elseif row[3] == ARGV[3] then
    replaced[#replaced + 1] = all[i]
    replaced[#replaced + 1] = all[i + 1]
  else
    others[#others + 1] = all[i]
    others[#others + 1] = all[i + 1]
  end
end
if not known and #others / 2 >= tonumber(ARGV[4]) then
  for i = 1, #replaced do others[#others + 1] = replaced[i] end
  return {'refused', {}, others}
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
for i = 1, #replaced, 2 do redis.call('HDEL', KEYS[1], replaced[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return {'registered', replaced, others}
`,
)
