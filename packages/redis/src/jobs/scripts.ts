import { script } from '../connection/script.ts'

/** KEYS jobs. */
export const existingJobs = script(
  'existing-jobs',
  `
local there = {}
for i, key in ipairs(KEYS) do there[i] = redis.call('EXISTS', key) end
return there
`,
)

/** KEYS waiting, active. */
export const countJobs = script('count-jobs', "return {redis.call('LLEN', KEYS[1]), redis.call('LLEN', KEYS[2])}")
