import { accessSync, closeSync, constants, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Driver, openDriver } from './driver.ts'
import { StoreError, storeErrorOf } from './errors.ts'
import { checkOwner, migrate } from './schema.ts'

/** Opens a file for this process alone, makes it ours, and brings its schema up to date. */
export function openFile(file: string, lockWaitMs: number): Driver {
  makeWritable(file)
  let driver: Driver | undefined
  try {
    driver = openDriver(file, lockWaitMs)
    // Before anything else touches the file: the lock is for good, and the index of the log of writes is in memory, not in a file.
    driver.exec('pragma locking_mode = exclusive')
    checkOwner(driver, file)
    setUp(driver, file)
    migrate(driver)
    return driver
  } catch (error) {
    driver?.close()
    throw storeErrorOf(error, file)
  }
}

function setUp(driver: Driver, file: string): void {
  const mode = driver.prepare('pragma journal_mode = wal').one()?.journal_mode
  if (mode !== 'wal') throw new StoreError('unwritable', `The disk of ${file} can't keep a write-ahead log.`)
  // Each commit is synced: what is accepted survives a power cut.
  driver.exec('pragma synchronous = full')
  driver.exec('pragma secure_delete = on')
  // What savepoints remember for an undo must not get into files that nobody erases.
  driver.exec('pragma temp_store = memory')
  driver.exec('pragma foreign_keys = on')
  driver.exec('begin exclusive; commit')
}

/**
 * Gives the file back. A connection of this driver lives on as long as its statements are not collected, so the lock has to be
 * let go by itself; with another journal mode, because a log of writes that was opened exclusively stays so.
 */
export function closeFile(driver: Driver, file: string): void {
  try {
    driver.exec('pragma wal_checkpoint(truncate)')
    driver.exec('pragma journal_mode = delete')
    driver.exec('pragma locking_mode = normal')
    driver.prepare('select count(*) as tables from sqlite_schema').one()
  } catch (error) {
    throw storeErrorOf(error, file)
  } finally {
    driver.close()
  }
}

/** An existing file is not opened here: closing it would let go of the locks that this process may hold on it. */
function makeWritable(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    if (!create(file)) accessSync(file, constants.R_OK | constants.W_OK)
  } catch (error) {
    const code = codeOf(error) ?? 'unknown'
    throw new StoreError('unwritable', `The data folder ${dirname(file)} can't be written (${code}).`, error)
  }
  if (!statSync(file).isFile()) throw new StoreError('unwritable', `${file} is no file.`)
}

function create(file: string): boolean {
  try {
    closeSync(openSync(file, 'wx', 0o600))
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
