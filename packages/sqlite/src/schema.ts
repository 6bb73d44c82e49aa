import type { Driver } from './driver.ts'
import { StoreError } from './errors.ts'

/** Says whose file this is, to tools and to ourselves: "CHBX". */
const APPLICATION_ID = 0x43484258

const answerColumns = `
  answer_id text, status text, attempt integer, faults integer, handbacks integer, n integer, due integer,
  cancel_at integer, model_id text, asked_at integer, ended_at integer, text blob,
  input_tokens integer, output_tokens integer, estimated integer, error text`

/**
 * Each brings a file from the version before to its own (its place in this list, from 1). What has been released is never
 * edited; a change is a further entry. Sealed columns: key, nm, assisting_admin_name, content, text.
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
]

/** Refuses a file that is not ours, before anything in it is changed. */
export function checkOwner(driver: Driver, file: string): void {
  const tables = numberOf(driver, 'select count(*) as tables from sqlite_schema', 'tables')
  if (tables > 0 && numberOf(driver, 'pragma application_id', 'application_id') !== APPLICATION_ID) {
    throw new StoreError('foreign', `The file ${file} is a database of another program.`)
  }
  if (versionOf(driver) > migrations.length) {
    throw new StoreError('newer', `The database ${file} was written by a later version of Chatbox: run that one.`)
  }
}

/** Makes a new file ours, and brings an older one up to date. Never backward. */
export function migrate(driver: Driver): void {
  const version = versionOf(driver)
  for (const [index, migration] of migrations.entries()) {
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
