import { answerColumns } from './answers.ts'

export const turnsSql = {
  insertTurn: `
    insert into turns (
      sid, seq, width, partition, author, author_id, cmid, kind, event, content, ts, unsettled, ${answerColumns}
    ) values (
      :sid, :seq, :width, :partition, :author, :author_id, :cmid, :kind, :event, :content, :ts, :unsettled,
      :answer_id, :status, :attempt, :faults, :handbacks, :n, :due, :cancel_at, :model_id, :asked_at, :ended_at,
      :text, :thread, :input_tokens, :output_tokens, :estimated, :cost, :error, :notices, :feedback_rating,
      :feedback_comment, :feedback_ts
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

  unsettledOfPartition: `
    select * from turns
    where partition = :partition and unsettled = 1 and (ts, sid, seq) > (:ts, :sid, :seq)
    order by ts, sid, seq limit :limit`,

  spentInTurns: `
    select coalesce(sum(input_tokens + output_tokens), 0) as tokens, coalesce(sum(cost), 0) as cost from turns
    where sid = :sid and input_tokens is not null`,

  spentInSuperseded: `
    select coalesce(sum(input_tokens + output_tokens), 0) as tokens, coalesce(sum(cost), 0) as cost from superseded
    where sid = :sid and input_tokens is not null`,

  tokensSince: `
    select coalesce(sum(input_tokens + output_tokens), 0) as tokens from turns
    where author_id = :author_id and ended_at >= :since and input_tokens is not null`,

  supersededTokensSince: `
    select coalesce(sum(input_tokens + output_tokens), 0) as tokens from superseded
    where author_id = :author_id and ended_at >= :since and input_tokens is not null`,
} as const
