export const sessionsSql = {
  insertSession: `
    insert into sessions (
      sid, uid, partition, key, key_id, nm, preview, model_id, ts, end_ts, last_activity, admin_assisted,
      assisting_admin_id, assisting_admin_name, help_requested, total_tokens, total_cost, msg_count, rts, owner_epoch,
      read_seq, share_hash, share_until, erased, rev
    ) values (
      :sid, :uid, :partition, :key, :key_id, :nm, :preview, :model_id, :ts, :end_ts, :last_activity, :admin_assisted,
      :assisting_admin_id, :assisting_admin_name, :help_requested, :total_tokens, :total_cost, :msg_count, :rts,
      :owner_epoch, :read_seq, :share_hash, :share_until, :erased, :rev
    ) on conflict (sid) do nothing`,

  sessionById: 'select * from sessions where sid = :sid',

  sessionByShare: 'select * from sessions where share_hash = :hash',

  updateSession: `
    update sessions set
      nm = :nm, preview = :preview, model_id = :model_id, end_ts = :end_ts, last_activity = :last_activity,
      admin_assisted = :admin_assisted, assisting_admin_id = :assisting_admin_id,
      assisting_admin_name = :assisting_admin_name, help_requested = :help_requested, total_tokens = :total_tokens,
      total_cost = :total_cost, msg_count = :msg_count, rts = :rts, owner_epoch = :owner_epoch, read_seq = :read_seq, share_hash = :share_hash,
      share_until = :share_until, erased = :erased, rev = :rev
    where sid = :sid`,

  // A session without rows was made by somebody whose insert then failed: it is not shown (R10).
  sessionsOfUser: `
    select * from sessions
    where uid = :uid and erased = 0 and (last_activity, sid) < (:last_activity, :sid)
      and exists (select 1 from turns where turns.sid = sessions.sid)
    order by last_activity desc, sid desc limit :limit`,
} as const
