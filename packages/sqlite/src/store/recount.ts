import type { Driver } from '../driver.ts'

/**
 * Brings the sums in every session's row in line with its turns (R3). They are written one after the other, and when the process
 * dies in between, the entry that would have gone on is lost with it. One pass over all sessions, so it is for a start after a crash alone.
 */
export function recount(driver: Driver): number {
  return driver.prepare(RECOUNT).run({})
}

const RECOUNT = `
  update sessions set
    total_tokens = now.tokens, msg_count = now.messages, last_activity = max(last_activity, now.activity), rev = rev + 1
  from (
    select s.sid,
      (select coalesce(sum(input_tokens + output_tokens), 0) from turns
        where turns.sid = s.sid and input_tokens is not null)
      + (select coalesce(sum(input_tokens + output_tokens), 0) from superseded
        where superseded.sid = s.sid and input_tokens is not null) as tokens,
      coalesce((select seq + width - 1 from turns where turns.sid = s.sid order by seq desc limit 1), 0) as messages,
      coalesce((select max(ts, coalesce(ended_at, 0)) from turns
        where turns.sid = s.sid order by seq desc limit 1), 0) as activity
    from sessions s where s.erased = 0
  ) as now
  where sessions.sid = now.sid
    and (total_tokens <> now.tokens or msg_count <> now.messages or last_activity < now.activity)`
