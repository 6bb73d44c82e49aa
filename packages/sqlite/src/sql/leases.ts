export const leasesSql = {
  acquireLease: `
    insert into leases (partition, gen, owner, until) values (:partition, 1, :owner, :until)
    on conflict (partition) do update set gen = gen + 1, owner = excluded.owner, until = excluded.until
    where owner is null or leases.until <= :now
    returning gen`,

  renewLease: `
    update leases set until = :until where partition = :partition and gen = :gen and owner = :owner`,

  // The row stays, for its `gen` must never fall (R6).
  releaseLease: `
    update leases set owner = null, until = 0 where partition = :partition and gen = :gen and owner = :owner`,

  freeLeases: `update leases set owner = null, until = 0 where owner > ''`,

  attend: `
    insert into replicas (replica, until) values (:replica, :until)
    on conflict (replica) do update set until = excluded.until`,

  leave: 'delete from replicas where replica = :replica',

  dropAbsent: 'delete from replicas where until <= :now',

  dropReplicas: "delete from replicas where replica > ''",

  replicas: `
    select replica, (
        select count(*) from leases where leases.owner = replicas.replica and leases.until > :now
      ) as leases
    from replicas where until > :now`,

  insertSetting: 'insert into settings (name, value) values (:name, :value) on conflict (name) do nothing',

  setting: 'select value from settings where name = :name',
} as const
