import { script } from '../connection/script.ts'

/**
 * What empties the log runs on a server without memory too, though it writes a little: otherwise a full server could never be
 * drained. Must be the first line of a script.
 */
const ALSO_WITHOUT_MEMORY = '#!lua flags=allow-oom'

const NOW = `
local function now()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
`

/** KEYS entries, bell. ARGV packet, ttl or '', bound. */
export const appendEntry = script(
  'append-entry',
  NOW,
  `
if redis.call('XLEN', KEYS[1]) >= tonumber(ARGV[3]) then return 'full' end
local fields = {'packet', ARGV[1]}
if ARGV[2] ~= '' then
  fields[3] = 'until'
  fields[4] = string.format('%.0f', now() + ARGV[2])
end
redis.call('XADD', KEYS[1], '*', unpack(fields))
redis.call('SPUBLISH', KEYS[2], '')
return 'taken'
`,
)

/**
 * KEYS entries, tries. ARGV after which id or '', how many at most, after how many bytes it is enough. Brings the time, whether there
 * is such a log at all, and of each entry its id, tries, packet and deadline. A try is counted in the same step, and one that was
 * counted before is the last that is brought: it may be what its reader dies of, and what is behind it must not be counted with it (R7).
 */
export const readEntries = script(
  'read-entries',
  ALSO_WITHOUT_MEMORY,
  NOW,
  `
local PAGE = 20
local last, left, bytes = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local read, tries = {}, 0
repeat
  local asked = math.min(PAGE, left)
  local page = redis.call('XRANGE', KEYS[1], last == '' and '-' or '(' .. last, '+', 'COUNT', asked)
  for _, entry in ipairs(page) do
    local id, fields = entry[1], entry[2]
    tries = redis.call('HINCRBY', KEYS[2], id, 1)
    read[#read + 1] = {id, tries, fields[2], fields[4] or ''}
    last = id
    bytes = bytes - #fields[2]
    if tries > 1 then break end
  end
  left = left - #page
until tries > 1 or #page < asked or left == 0 or bytes <= 0
return {string.format('%.0f', now()), redis.call('EXISTS', KEYS[1]), read}
`,
)

/** KEYS entries, tries, outcomes. ARGV ttl of outcomes, their packets, ids. */
export const removeEntries = script(
  'remove-entries',
  ALSO_WITHOUT_MEMORY,
  `
for i = 3, #KEYS do redis.call('SET', KEYS[i], ARGV[i - 1], 'PX', ARGV[1]) end
for i = #KEYS, #ARGV do
  redis.call('XDEL', KEYS[1], ARGV[i])
  redis.call('HDEL', KEYS[2], ARGV[i])
end
`,
)

/**
 * KEYS entries, tries, dead letters, perhaps an outcome. ARGV id or '', reason, how many dead letters are kept, ttl of the outcome, its packet.
 * Of the entry only what its header says of it is kept; what was written by nobody of us has none.
 */
export const buryEntry = script(
  'bury-entry',
  ALSO_WITHOUT_MEMORY,
  NOW,
  `
if KEYS[4] then redis.call('SET', KEYS[4], ARGV[5], 'PX', ARGV[4]) end
if ARGV[1] == '' then return end
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1], 'COUNT', 1)[1]
if not entry then return end
local tries = redis.call('HGET', KEYS[2], ARGV[1]) or '0'
local readable, header = pcall(cjson.decode, string.match(entry[2][2] or '', '^([^\\n]*)\\n') or '')
if not readable or type(header) ~= 'table' then header = {} end
local function named(field) return type(header[field]) == 'string' and header[field] or 'unreadable' end
redis.call('XADD', KEYS[3], 'MAXLEN', '=', ARGV[3], '*', 'requestId', named('requestId'), 'kind', named('kind'),
  'reason', ARGV[2], 'tries', tries, 'at', string.format('%.0f', now()))
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
`,
)

/** KEYS entries, dead letters. */
export const countEntries = script('count-entries', "return {redis.call('XLEN', KEYS[1]), redis.call('XLEN', KEYS[2])}")
