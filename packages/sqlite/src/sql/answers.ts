export const answerColumns = `answer_id, status, attempt, faults, handbacks, n, due, cancel_at, model_id, asked_at, ended_at,
      text, thread, input_tokens, output_tokens, estimated, cost, error, notices, feedback_rating, feedback_comment,
      feedback_ts`

export const answersSql = {
  beginAttempt: `
    update turns set attempt = attempt + 1, faults = faults + :faults, handbacks = handbacks + :handbacks
    where sid = :sid and answer_id = :answer_id and status = 'pending' and attempt = :from_attempt`,

  endAnswer: `
    update turns set status = :status, text = :text, thread = :thread, input_tokens = :input_tokens,
      output_tokens = :output_tokens, estimated = :estimated, cost = :cost, error = :error, notices = :notices, ended_at = :ended_at,
      model_id = coalesce(:model_id, model_id)
    where sid = :sid and answer_id = :answer_id and status = 'pending' and attempt = coalesce(:attempt, attempt)`,

  changePending: `
    update turns set due = coalesce(:due, due), cancel_at = coalesce(:cancel_at, cancel_at), n = coalesce(:n, n),
      handbacks = coalesce(:handbacks, handbacks)
    where sid = :sid and answer_id = :answer_id and status = 'pending' and n = :expected_n`,

  // Content of zero bytes is that of an erased row, to which nobody who has not heard of it adds anything (R22).
  keepSuperseded: `
    insert into superseded (sid, seq, author_id, place, ${answerColumns})
    select sid, seq, author_id, (
        select coalesce(max(place), 0) + 1 from superseded where superseded.sid = turns.sid and superseded.seq = turns.seq
      ), ${answerColumns}
    from turns
    where sid = :sid and seq = :seq and answer_id = :old and status <> 'pending' and length(content) > 0`,

  replaceAnswer: `
    update turns set unsettled = 1, answer_id = :answer_id, status = :status, attempt = :attempt, faults = :faults,
      handbacks = :handbacks, n = :n, due = :due, cancel_at = :cancel_at, model_id = :model_id, asked_at = :asked_at,
      ended_at = :ended_at, text = :text, thread = :thread, input_tokens = :input_tokens, output_tokens = :output_tokens,
      estimated = :estimated, cost = :cost, error = :error, notices = :notices, feedback_rating = :feedback_rating,
      feedback_comment = :feedback_comment, feedback_ts = :feedback_ts
    where sid = :sid and seq = :seq`,

  rateAnswer: `
    update turns set feedback_rating = :feedback_rating, feedback_comment = :feedback_comment, feedback_ts = :feedback_ts
    where sid = :sid and answer_id = :answer_id and status = 'done' and length(content) > 0`,

  // Where nothing is answered, `status` and `answer_id` are NULL.
  settle: `
    update turns set unsettled = 0
    where sid = :sid and seq = :seq and unsettled = 1 and status is not 'pending' and answer_id is :answer_id`,
} as const
