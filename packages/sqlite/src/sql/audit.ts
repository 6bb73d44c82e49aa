export const auditSql = {
  auditOfRequest: 'select n from audit where partition = :partition and request_id = :request_id',

  insertAudit: `
    insert into audit (partition, n, request_id, ts, actor, action, uid, sid, detail, prev, hash)
    values (:partition, :n, :request_id, :ts, :actor, :action, :uid, :sid, :detail, :prev, :hash)
    on conflict (partition, n) do nothing`,

  lastAudit: 'select * from audit where partition = :partition order by n desc limit 1',

  auditAfter: 'select * from audit where partition = :partition and n > :after order by n limit :limit',
} as const
