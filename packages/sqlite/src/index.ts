export { StoreError, type StoreErrorCode } from './errors.ts'
export type { WriteCounts } from './group-commit.ts'
export { openSqlite, type Sqlite, type SqliteOptions } from './sqlite.ts'
