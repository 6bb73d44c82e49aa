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

  owners: `
    select owner, count(*) as leases from leases where until > :now and owner is not null group by owner`,

  insertSetting: 'insert into settings (name, value) values (:name, :value) on conflict (name) do nothing',

  setting: 'select value from settings where name = :name',
} as const
