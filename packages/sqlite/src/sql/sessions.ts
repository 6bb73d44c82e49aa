export const sessionsSql = {
  insertSession: `
    insert into sessions (
      sid, uid, partition, key, nm, model_id, ts, end_ts, last_activity, admin_assisted, assisting_admin_id,
      assisting_admin_name, help_requested, total_tokens, msg_count, rts, owner_epoch, read_seq, erased, rev
    ) values (
      :sid, :uid, :partition, :key, :nm, :model_id, :ts, :end_ts, :last_activity, :admin_assisted, :assisting_admin_id,
      :assisting_admin_name, :help_requested, :total_tokens, :msg_count, :rts, :owner_epoch, :read_seq, :erased, :rev
    ) on conflict (sid) do nothing`,

  sessionById: 'select * from sessions where sid = :sid',

  updateSession: `
    update sessions set
      nm = :nm, model_id = :model_id, end_ts = :end_ts, last_activity = :last_activity, admin_assisted = :admin_assisted,
      assisting_admin_id = :assisting_admin_id, assisting_admin_name = :assisting_admin_name,
      help_requested = :help_requested, total_tokens = :total_tokens, msg_count = :msg_count, rts = :rts,
      owner_epoch = :owner_epoch, read_seq = :read_seq, erased = :erased, rev = :rev
    where sid = :sid`,

  // A session without rows was made by somebody whose insert then failed: it is not shown (R10).
  sessionsOfUser: `
    select * from sessions
    where uid = :uid and erased = 0 and (last_activity, sid) < (:last_activity, :sid)
      and exists (select 1 from turns where turns.sid = sessions.sid)
    order by last_activity desc, sid desc limit :limit`,

  replaceKey: 'update sessions set key = :to_key where sid = :sid and key = :from_key',

  eraseKey: `
    update sessions set key = x'', nm = null, assisting_admin_name = null, rev = rev + 1
    where sid = :sid and length(key) > 0`,
} as const
