import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { sessionId } from '@chatbox/core'
import { sealedSession } from '@chatbox/testkit/rows'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDriver } from '../src/driver.ts'
import { openSqlite, StoreError } from '../src/index.ts'
import { someFile } from './lib/folder.ts'

async function faultOf(opening: Promise<unknown>): Promise<StoreError> {
  const error = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (error instanceof StoreError) return error
  throw new Error('no StoreError', { cause: error })
}
const openFault = (file: string) => faultOf(openSqlite({ file, lockWaitMs: 0 }))

async function madeBy(file: string): Promise<void> {
  const { conversations, close } = await openSqlite({ file })
  await conversations.createSession(sealedSession())
  await close()
}

/** Root may write anywhere: so not as root, in a folder that may be looked into and no more. */
async function asNobody<R>(folder: string, act: () => Promise<R>): Promise<R> {
  chmodSync(folder, 0o555)
  const isRoot = process.geteuid?.() === 0
  if (isRoot) process.seteuid?.(65_534)
  try {
    return await act()
  } finally {
    if (isRoot) process.seteuid?.(0)
    chmodSync(folder, 0o755)
  }
}

describe('opening', () => {
  it('makes the folder and the file, for nobody else to read', async () => {
    const file = join(dirname(someFile()), 'deep', 'folder', 'chatbox.db')
    await madeBy(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(dirname(file)).mode & 0o777).toBe(0o700)
  })

  it('says in one sentence that the folder can’t be written', async () => {
    const file = someFile()
    writeFileSync(file, '')
    const fault = await openFault(join(file, 'chatbox.db'))
    expect(fault).toMatchObject({ code: 'unwritable', message: `The data folder ${file} can't be written (EEXIST).` })
  })

  it('says so to somebody who may not write there', async () => {
    const file = someFile()
    const fault = await asNobody(dirname(file), () => openFault(file))
    expect(fault).toMatchObject({ code: 'unwritable' })
    expect(fault.message).toBe(`The data folder ${dirname(file)} can't be written (EACCES).`)
  })

  it('says so of a file that may be read alone', async () => {
    const file = someFile()
    await madeBy(file)
    chmodSync(file, 0o444)
    expect(await asNobody(dirname(file), () => openFault(file))).toMatchObject({ code: 'unwritable' })
  })

  it('says that a folder is no file', async () => {
    const file = someFile()
    mkdirSync(file)
    expect(await openFault(file)).toMatchObject({ code: 'unwritable', message: `${file} is no file.` })
  })

  it('says that something else is no database, and leaves it as it is', async () => {
    const file = someFile()
    writeFileSync(file, 'a letter, not a database '.repeat(400))
    const before = readFileSync(file)
    const message = `The file ${file} is damaged or no database: restore it from a backup.`
    expect(await openFault(file)).toMatchObject({ code: 'corrupt', message })
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('says that a database is another program’s, and leaves it as it is', async () => {
    const file = someFile()
    const other = openDriver(file, 0)
    other.exec('create table recipes (name text)')
    other.close()
    const before = readFileSync(file)
    const message = `The file ${file} is a database of another program.`
    expect(await openFault(file)).toMatchObject({ code: 'foreign', message })
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('says that a later version wrote it', async () => {
    const file = someFile()
    await madeBy(file)
    const later = openDriver(file, 0)
    later.exec('pragma user_version = 99')
    later.close()
    expect(await openFault(file)).toMatchObject({ code: 'newer' })
  })

  it('says that the file is in use, in this process as in another, until it is let go', async () => {
    const file = someFile()
    const { close } = await openSqlite({ file })
    onTestFinished(close)
    const message = `The database ${file} is in use by another process: stop that one first.`
    expect(await openFault(file)).toMatchObject({ code: 'locked', message })
    await close()
    await madeBy(file)
  })
})

describe('a damaged file', () => {
  /** Writes nonsense over a page of the closed file. */
  function damage(file: string, pageOf: string): void {
    const driver = openDriver(file, 0)
    const query = 'select rootpage from sqlite_schema where name = :name'
    const page = driver.prepare(query).one({ name: pageOf })?.rootpage
    driver.close()
    const handle = openSync(file, 'r+')
    writeSync(handle, Buffer.alloc(4_096, 0xee), 0, 4_096, (Number(page) - 1) * 4_096)
    closeSync(handle)
  }

  it('is told when what is damaged is read or written, and the rest goes on', async () => {
    const file = someFile()
    await madeBy(file)
    damage(file, 'sessions_sid')
    const { conversations, leases, close } = await openSqlite({ file })
    onTestFinished(close)
    expect(await faultOf(conversations.session(sealedSession().sid))).toMatchObject({ code: 'corrupt' })
    expect(await faultOf(conversations.createSession(sealedSession()))).toMatchObject({ code: 'corrupt' })
    expect(await leases.partitionCount(64)).toBe(64)
  })
})

describe('a file that is taken away while it is open', () => {
  it('fails each ping until it is back, also with another one in its place', async () => {
    const file = someFile()
    const { conversations, close } = await openSqlite({ file })
    onTestFinished(close)
    await conversations.ping()
    const elsewhere = `${file}.elsewhere`
    renameSync(file, elsewhere)
    const fault = await faultOf(conversations.ping())
    expect(fault).toMatchObject({ code: 'gone', message: expect.stringContaining(`The database ${file} was removed`) })
    writeFileSync(file, '')
    expect(await faultOf(conversations.ping())).toMatchObject({ code: 'gone' })
    renameSync(elsewhere, file)
    await conversations.ping()
  })
})

describe('a text that the file could not give back', () => {
  it('is refused, before it passes for another', async () => {
    const { conversations, close } = await openSqlite({ file: someFile() })
    onTestFinished(close)
    for (const text of ['a\0b', 'a\ud800']) {
      const session = sealedSession({ sid: sessionId(text) })
      expect(await faultOf(conversations.createSession(session))).toMatchObject({ code: 'unstorable' })
      expect(await faultOf(conversations.session(session.sid))).toMatchObject({ code: 'unstorable' })
    }
  })
})
