export const erasureSql = {
  eraseKey: `
    update sessions set key = x'', key_id = '', nm = null, preview = null, assisting_admin_name = null,
      share_hash = null, share_until = null, rev = rev + 1
    where sid = :sid and length(key) > 0`,

  cancelPending: `
    update turns set status = 'cancelled', ended_at = :ended_at where sid = :sid and status = 'pending'`,

  blankTurns: `
    update turns set content = x'', text = null, thread = null, unsettled = unsettled and event is :event,
      feedback_rating = null, feedback_comment = null, feedback_ts = null
    where sid = :sid`,

  blankSuperseded: `
    update superseded set text = null, thread = null, feedback_rating = null, feedback_comment = null, feedback_ts = null
    where sid = :sid`,

  erasableOfUser: 'select sid from sessions where uid = :uid and erased = 0 limit :limit',

  erasableOfPartition: `
    select sid from sessions where partition = :partition and erased = 0 and last_activity < :before
    order by last_activity limit :limit`,

  // Without its cmid: somebody who comes back may send under it again, and is erased under the same alias again.
  forgetAuthor: `
    update turns set author_id = :alias, cmid = null
    where sid in (select sid from sessions where uid = :uid and erased = 1) and author_id = :uid`,

  forgetSupersededAuthor: `
    update superseded set author_id = :alias
    where sid in (select sid from sessions where uid = :uid and erased = 1) and author_id = :uid`,

  forgetOwner: 'update sessions set uid = :alias where uid = :uid and erased = 1',
} as const
