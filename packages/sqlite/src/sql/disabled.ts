export const disabledSql = {
  addDisabled: 'insert into disabled_users (uid) values (:uid) on conflict (uid) do nothing',

  removeDisabled: 'delete from disabled_users where uid = :uid',

  // All of them, by their index and in its order.
  disabledUsers: `select uid from disabled_users where uid > '' order by uid`,
} as const
