#!/usr/bin/env node
import { checkMongo, migrateMongo, type Retry, readMongoUri } from '@chatbox/mongo'
import { configFromCommandLine, createLogger } from '@chatbox/runtime'
import { migrationConfig } from './config.ts'

/** Makes the indexes, or with `--check` says what is missing. A deployment runs it before the services (D2). */
async function main(): Promise<number> {
  const argv = process.argv.slice(2)
  const loaded = configFromCommandLine(migrationConfig(readMongoUri), {
    argv: argv.filter((arg) => arg !== '--check'),
    env: process.env,
    help: {
      call: 'migrate',
      switches: [['--check', 'Makes nothing, says what is missing, and ends with 1 if anything is.']],
      more: 'Every setting is in docs/configuration.md.',
    },
  })
  if ('exitCode' in loaded) return loaded.exitCode
  const { mongo, logLevel } = loaded.config
  const log = createLogger({ service: 'migrate', level: logLevel })
  const options = {
    ...mongo,
    onRetry: ({ what, attempt, error }: Retry) => log.warn({ err: error, what, attempt }, 'trying again'),
  }
  try {
    if (argv.includes('--check')) {
      const faults = await checkMongo(options)
      for (const fault of faults) log.error({ ...fault }, 'an index is not as it has to be')
      if (faults.length === 0) log.info('all indexes are as they have to be')
      return faults.length === 0 ? 0 : 1
    }
    const { created } = await migrateMongo(options)
    log.info({ created }, 'the database is as it has to be')
    return 0
  } catch (err) {
    log.fatal({ err }, 'the database could not be migrated')
    return 1
  }
}

process.exit(await main())
