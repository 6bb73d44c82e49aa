const answerColumns = `answer_id, status, attempt, faults, handbacks, n, due, cancel_at, model_id, asked_at, ended_at,
      text, input_tokens, output_tokens, estimated, error`

export const turnsSql = {
  insertTurn: `
    insert into turns (
      sid, seq, width, partition, author, author_id, cmid, kind, event, content, ts, ${answerColumns}
    ) values (
      :sid, :seq, :width, :partition, :author, :author_id, :cmid, :kind, :event, :content, :ts,
      :answer_id, :status, :attempt, :faults, :handbacks, :n, :due, :cancel_at, :model_id, :asked_at, :ended_at,
      :text, :input_tokens, :output_tokens, :estimated, :error
    )`,

  // The nearest row that begins before the end of a new one: if it reaches into it, the place is taken.
  turnBelow: 'select seq, width from turns where sid = :sid and seq < :end order by seq desc limit 1',

  turnAt: 'select * from turns where sid = :sid and seq = :seq',

  lastTurn: 'select seq, width, event from turns where sid = :sid order by seq desc limit 1',

  turnByCmid: 'select * from turns where author_id = :author_id and cmid = :cmid',

  turnByAnswer: 'select * from turns where sid = :sid and answer_id = :answer_id',

  turnBySuperseded: `
    select turns.* from superseded join turns on turns.sid = superseded.sid and turns.seq = superseded.seq
    where superseded.sid = :sid and superseded.answer_id = :answer_id`,

  turnsDown: 'select * from turns where sid = :sid and seq < :before order by seq desc limit :limit',

  // Only a question's own seq can be `after` and still reach above it, by its answer.
  turnsUp: `
    select * from turns where sid = :sid and seq >= :after and seq < :before and seq + width - 1 > :after
    order by seq limit :limit`,

  supersededBetween: `
    select * from superseded where sid = :sid and seq between :low and :high order by seq, place`,

  pendingOfSession: `
    select seq, answer_id from turns where sid = :sid and status = 'pending' order by seq`,

  pendingOfPartition: `
    select * from turns
    where partition = :partition and status = 'pending' and (asked_at, sid, seq) > (:asked_at, :sid, :seq)
    order by asked_at, sid, seq limit :limit`,

  askedAt: `
    select asked_at from turns where sid = :sid and answer_id = :answer_id
    union all select asked_at from superseded where sid = :sid and answer_id = :answer_id limit 1`,

  tokensOfTurns: `
    select coalesce(sum(input_tokens + output_tokens), 0) as tokens from turns
    where sid = :sid and input_tokens is not null`,

  tokensOfSuperseded: `
    select coalesce(sum(input_tokens + output_tokens), 0) as tokens from superseded
    where sid = :sid and input_tokens is not null`,

  beginAttempt: `
    update turns set attempt = attempt + 1, faults = faults + :faults, handbacks = handbacks + :handbacks
    where sid = :sid and answer_id = :answer_id and status = 'pending' and attempt = :from_attempt`,

  endAnswer: `
    update turns set status = :status, text = :text, input_tokens = :input_tokens, output_tokens = :output_tokens,
      estimated = :estimated, error = :error, ended_at = :ended_at
    where sid = :sid and answer_id = :answer_id and status = 'pending' and attempt = coalesce(:attempt, attempt)`,

  changePending: `
    update turns set due = coalesce(:due, due), cancel_at = coalesce(:cancel_at, cancel_at), n = coalesce(:n, n),
      handbacks = coalesce(:handbacks, handbacks)
    where sid = :sid and answer_id = :answer_id and status = 'pending' and n = :expected_n`,

  keepSuperseded: `
    insert into superseded (sid, seq, place, ${answerColumns})
    select sid, seq, (
        select coalesce(max(place), 0) + 1 from superseded where superseded.sid = turns.sid and superseded.seq = turns.seq
      ), ${answerColumns}
    from turns where sid = :sid and seq = :seq and answer_id = :old and status <> 'pending'`,

  replaceAnswer: `
    update turns set answer_id = :answer_id, status = :status, attempt = :attempt, faults = :faults,
      handbacks = :handbacks, n = :n, due = :due, cancel_at = :cancel_at, model_id = :model_id, asked_at = :asked_at,
      ended_at = :ended_at, text = :text, input_tokens = :input_tokens, output_tokens = :output_tokens,
      estimated = :estimated, error = :error
    where sid = :sid and seq = :seq`,

  blankTurns: "update turns set content = x'', text = null where sid = :sid",

  blankSuperseded: 'update superseded set text = null where sid = :sid',

  cancelPending: `
    update turns set status = 'cancelled', ended_at = :ended_at where sid = :sid and status = 'pending'`,
} as const
