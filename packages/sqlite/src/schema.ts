import type { Driver } from './driver.ts'
import { StoreError } from './errors.ts'

/** Says whose file this is, to tools and to ourselves: "CHBX". */
const APPLICATION_ID = 0x43484258

/** Of the first version; later ones add theirs. */
const answerColumns = `
  answer_id text, status text, attempt integer, faults integer, handbacks integer, n integer, due integer,
  cancel_at integer, model_id text, asked_at integer, ended_at integer, text blob,
  input_tokens integer, output_tokens integer, estimated integer, error text`

/**
 * Each brings a file from the version before to its own (its place in this list, from 1). What has been released is never
 * edited; a change is a further entry. Sealed columns: key, nm, preview, assisting_admin_name, content, text, feedback_comment,
 * thread.
 */
const migrations: readonly string[] = [
  `
create table sessions (
  sid text not null, uid text not null, partition integer not null, key blob not null, nm blob, model_id text not null,
  ts integer not null, end_ts integer, last_activity integer not null, admin_assisted integer not null,
  assisting_admin_id text, assisting_admin_name blob, help_requested integer not null, total_tokens integer not null,
  msg_count integer not null, rts text not null, owner_epoch integer not null, read_seq integer not null,
  erased integer not null, rev integer not null
) strict;
create unique index sessions_sid on sessions(sid);
create index sessions_of_user on sessions(uid, last_activity desc, sid desc) where erased = 0;

create table turns (
  sid text not null references sessions(sid), seq integer not null, width integer not null, partition integer not null,
  author text not null, author_id text not null, cmid text, kind text not null, event text, content blob not null,
  ts integer not null, ${answerColumns}
) strict;
create unique index turns_place on turns(sid, seq);
create unique index turns_cmid on turns(author_id, cmid) where cmid is not null;
create index turns_answer on turns(sid, answer_id) where answer_id is not null;
create index turns_pending on turns(sid, seq) where status = 'pending';
create index turns_pending_of on turns(partition, asked_at, sid, seq) where status = 'pending';
create index turns_tokens on turns(sid, input_tokens, output_tokens) where input_tokens is not null;

create table superseded (
  sid text not null, seq integer not null, place integer not null, ${answerColumns},
  foreign key (sid, seq) references turns(sid, seq)
) strict;
create unique index superseded_place on superseded(sid, seq, place);
create index superseded_answer on superseded(sid, answer_id);
create index superseded_tokens on superseded(sid, input_tokens, output_tokens) where input_tokens is not null;

create table leases (
  partition integer primary key, gen integer not null, owner text, until integer not null
) strict;
create index leases_of_owner on leases(owner, until);

create table settings (name text primary key, value integer not null) strict, without rowid;
`,
  `
create table disabled_users (uid text primary key) strict, without rowid;
`,
  `
alter table sessions add column preview blob;
alter table sessions add column share_hash text;
alter table sessions add column share_until integer;
alter table sessions add column key_id text not null default '';
-- A wrapped key begins with a version, the length of the id of the key that wrapped it, and that id, of ASCII. Only this once is
-- it read from there: what is in the bytes is nothing that a database should know.
update sessions set key_id = cast(substr(key, 3,
    16 * (instr('0123456789ABCDEF', substr(hex(key), 3, 1)) - 1) + instr('0123456789ABCDEF', substr(hex(key), 4, 1)) - 1
  ) as text)
  where length(key) > 0;
create unique index sessions_share on sessions(share_hash) where share_hash is not null;
create index sessions_key on sessions(key_id, sid);
create index sessions_idle on sessions(partition, last_activity) where erased = 0;
create index sessions_erased on sessions(uid) where erased = 1;

alter table turns add column unsettled integer not null default 0;
alter table turns add column feedback_rating text;
alter table turns add column feedback_comment blob;
alter table turns add column feedback_ts integer;
update turns set unsettled = 1 where status = 'pending';
drop index turns_pending_of;
create index turns_unsettled on turns(partition, ts, sid, seq) where unsettled = 1;
create index turns_spent on turns(author_id, ended_at, input_tokens, output_tokens) where input_tokens is not null;

alter table superseded add column author_id text not null default '';
alter table superseded add column feedback_rating text;
alter table superseded add column feedback_comment blob;
alter table superseded add column feedback_ts integer;
update superseded set author_id = turns.author_id from turns where turns.sid = superseded.sid and turns.seq = superseded.seq;
create index superseded_spent on superseded(author_id, ended_at, input_tokens, output_tokens) where input_tokens is not null;

-- What a crash has left behind in the sums of a session. From now on the rows that they have to be brought in line with are
-- unsettled; those from before have no such mark.
update sessions set
  total_tokens = now.tokens, msg_count = now.messages, last_activity = max(last_activity, now.activity), rev = rev + 1
from (
  select s.sid,
    (select coalesce(sum(input_tokens + output_tokens), 0) from turns
      where turns.sid = s.sid and input_tokens is not null)
    + (select coalesce(sum(input_tokens + output_tokens), 0) from superseded
      where superseded.sid = s.sid and input_tokens is not null) as tokens,
    coalesce((select seq + width - 1 from turns where turns.sid = s.sid order by seq desc limit 1), 0) as messages,
    coalesce((select max(ts, coalesce(ended_at, 0)) from turns
      where turns.sid = s.sid order by seq desc limit 1), 0) as activity
  from sessions s where s.erased = 0
) as now
where sessions.sid = now.sid
  and (total_tokens <> now.tokens or msg_count <> now.messages or last_activity < now.activity);

create table replicas (replica text primary key, until integer not null) strict, without rowid;
create index replicas_until on replicas(until);

create table audit (
  partition integer not null, n integer not null, request_id text not null, ts integer not null, actor text not null,
  action text not null, uid text, sid text, detail text, prev text not null, hash text not null
) strict;
create unique index audit_place on audit(partition, n);
create unique index audit_request on audit(partition, request_id);
`,
  `
alter table turns add column thread blob;
alter table superseded add column thread blob;
`,
  `
alter table sessions add column total_cost integer not null default 0;
alter table turns add column cost integer;
alter table turns add column notices text;
alter table superseded add column cost integer;
alter table superseded add column notices text;
drop index turns_tokens;
create index turns_tokens on turns(sid, input_tokens, output_tokens, cost) where input_tokens is not null;
drop index superseded_tokens;
create index superseded_tokens on superseded(sid, input_tokens, output_tokens, cost) where input_tokens is not null;
`,
]

export const SCHEMA_VERSION = migrations.length

/** Refuses a file that is not ours, before anything in it is changed. */
export function checkOwner(driver: Driver, file: string): void {
  const tables = numberOf(driver, 'select count(*) as tables from sqlite_schema', 'tables')
  if (tables > 0 && numberOf(driver, 'pragma application_id', 'application_id') !== APPLICATION_ID) {
    throw new StoreError('foreign', `The file ${file} is a database of another program.`)
  }
  if (versionOf(driver) > SCHEMA_VERSION) {
    throw new StoreError('newer', `The database ${file} was written by a later version of Chatbox: run that one.`)
  }
}

/** Makes a new file ours, and brings an older one up to date. Never backward. `to` is for tests that need a file as it once was. */
export function migrate(driver: Driver, to = SCHEMA_VERSION): void {
  const version = versionOf(driver)
  for (const [index, migration] of migrations.slice(0, to).entries()) {
    if (index < version) continue
    driver.exec(`
begin immediate;
${migration}
pragma application_id = ${APPLICATION_ID};
pragma user_version = ${index + 1};
commit;`)
  }
}

const versionOf = (driver: Driver) => numberOf(driver, 'pragma user_version', 'user_version')

function numberOf(driver: Driver, query: string, column: string): number {
  const value = driver.prepare(query).one()?.[column]
  return typeof value === 'number' ? value : 0
}
