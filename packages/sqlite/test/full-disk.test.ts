import { Unavailable } from '@chatbox/core'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Driver, openDriver } from '../src/driver.ts'
import { groupCommit } from '../src/group-commit.ts'
import { someFile } from './lib/folder.ts'

/** A database with one table of big values, and a way to make its commits or its checkpoints fail. */
function bigValues() {
  const file = someFile()
  const driver = openDriver(file, 0)
  onTestFinished(() => driver.close())
  driver.exec('pragma journal_mode = wal; create table big (name text unique, value blob)')
  const failing = new Set<string>()
  const check = (sql: string) => {
    if (failing.has(sql)) throw Object.assign(new Error('disk I/O error'), { rawCode: 10 })
  }
  const faulty: Driver = {
    exec(sql) {
      check(sql)
      driver.exec(sql)
    },
    prepare(sql) {
      check(sql)
      return driver.prepare(sql)
    },
    get inTransaction() {
      return driver.inTransaction
    },
    close: driver.close,
  }
  const insert = driver.prepare('insert into big values (:name, :value)')
  const names = driver.prepare('select name from big order by name')
  return {
    driver,
    failing,
    writer: groupCommit(faulty, file),
    put: (name: string, bytes = 10) => insert.run({ name, value: new Uint8Array(bytes) }),
    names: () => names.all().map(({ name }) => name),
  }
}
const outcomesOf = async (writes: readonly Promise<unknown>[]) =>
  (await Promise.allSettled(writes)).map((outcome) =>
    outcome.status === 'fulfilled' ? 'done' : outcome.reason instanceof Unavailable ? 'unavailable' : 'failed',
  )

describe('a disk that is full', () => {
  it('makes writes unavailable, keeps nothing that was not told done, and is forgotten when there is room', async () => {
    const { driver, writer, put, names } = bigValues()
    driver.exec('pragma max_page_count = 8')
    const outcomes = await outcomesOf(
      ['a', 'b', 'c', 'd'].map((name) => writer.write(() => put(name, name === 'c' ? 100_000 : 10))),
    )
    expect(outcomes[2]).toBe('unavailable')
    expect(outcomes).not.toContain('failed')
    expect(names()).toEqual(['a', 'b', 'c', 'd'].filter((_, i) => outcomes[i] === 'done'))
    driver.exec('pragma max_page_count = 1000')
    expect(await outcomesOf([writer.write(() => put('e', 100_000))])).toEqual(['done'])
  })
})

describe('a commit that fails', () => {
  it('fails for all that were in it, leaves nothing of them, and the next goes on', async () => {
    const { failing, writer, put, names } = bigValues()
    failing.add('commit')
    expect(await outcomesOf(['a', 'b'].map((name) => writer.write(() => put(name))))).toEqual([
      'unavailable',
      'unavailable',
    ])
    expect(names()).toEqual([])
    expect(writer.counts).toEqual({ commits: 0, writes: 0 })
    failing.clear()
    expect(await outcomesOf([writer.write(() => put('a'))])).toEqual(['done'])
    expect(names()).toEqual(['a'])
  })
})

describe('a checkpoint that fails after an erasure', () => {
  it('is told to the one who erased, and to nobody else', async () => {
    const { failing, writer, put, names } = bigValues()
    failing.add('pragma wal_checkpoint(truncate)')
    const writes = [writer.write(() => put('a')), writer.write(() => put('b'), { erases: true })]
    expect(await outcomesOf(writes)).toEqual(['done', 'unavailable'])
    expect(names()).toEqual(['a', 'b'])
  })

  it('is told also where somebody who reads keeps the old pages', async () => {
    const { writer, put, driver } = bigValues()
    await writer.write(() => put('a'))
    const reader = openDriver(fileOf(driver), 0)
    onTestFinished(() => reader.close())
    reader.exec('begin')
    reader.prepare('select count(*) as n from big').one()
    expect(await outcomesOf([writer.write(() => put('b'), { erases: true })])).toEqual(['unavailable'])
    reader.exec('commit')
    expect(await outcomesOf([writer.write(() => put('c'), { erases: true })])).toEqual(['done'])
  })
})

const fileOf = (driver: Driver) => String(driver.prepare('select file from pragma_database_list').one()?.file)
