/** Paths inside the tree that PostgreSQL was installed in. */
export const POSTGRES_BIN = '/usr/lib/postgresql/18/bin'
export const DATA = '/srv/chatbox'
export const TEMPLATE = `${DATA}/template`

/** Appended to postgresql.conf of the template. */
export const SETTINGS = `
shared_preload_libraries = 'pg_cron,pg_documentdb_core,pg_documentdb'
cron.database_name = 'postgres'
# Jobs (those that TTL indexes need) run inside the server, not over connections that it would have to be told about.
cron.use_background_workers = on
max_worker_processes = 16
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
# The tree has no /dev/shm.
dynamic_shared_memory_type = mmap
# A killed server loses nothing by this; only a machine that fails would.
fsync = off
`

/** A command inside the tree, as the user that PostgreSQL insists on: it refuses to run as root. */
export function asPostgres(root: string, ...command: readonly string[]): [program: string, args: string[]] {
  return ['chroot', ['--userspec=postgres:postgres', root, ...command]]
}
