#!/usr/bin/env node
import { createKeyring, type RotationProgress, rotate } from '@chatbox/crypto'
import { createProcess, distributedDatabase, readMongoUri } from '@chatbox/distributed'
import { configFromCommandLine, createOps } from '@chatbox/runtime'
import { rotationConfig } from './config.ts'

const EVERY_MS = 5_000

/** A time that a person waits for. */
const readable = ({ waitUntil, ...progress }: RotationProgress): object => ({
  ...progress,
  ...(waitUntil !== undefined && { waitUntil: new Date(waitUntil).toISOString() }),
})

function outcomeOf({ left, unopenable, waitUntil }: RotationProgress): string {
  if (left === 0) return 'done: older keys can be dropped'
  if (waitUntil !== undefined) return 'done, but not all: run it again after waitUntil'
  // Another run would find the same.
  if (left === unopenable) return 'done, but for sessions that do not open: their key is still needed'
  return 'done, but not all: run it again'
}

/**
 * Brings what is stored under the current key of the ring; with `--values` everything is sealed anew. Beside the running services, as
 * often as one likes: a run that is killed is gone on with by the next. Ends with 0 when the old keys can be dropped.
 */
async function main(): Promise<number> {
  const argv = process.argv.slice(2)
  const values = argv.includes('--values')
  const loaded = configFromCommandLine(rotationConfig(readMongoUri), {
    argv: argv.filter((arg) => arg !== '--values'),
    env: process.env,
    help: {
      call: 'rotate',
      switches: [['--values', 'Seals all that is stored anew, and not only the keys of sessions.']],
      more: 'What it does is in docs/keys.md, every setting in docs/configuration.md.',
    },
  })
  if ('exitCode' in loaded) return loaded.exitCode
  const { config } = loaded
  const own = createProcess('rotate', config)
  const { log, metrics } = own
  const left = metrics.gauge({
    name: 'rotation_sessions_left',
    help: 'Sessions that a rotation of keys still has to do.',
  })
  const keyring = createKeyring({ ...config.encryptionKeys, hashKey: config.hashKey })
  const database = distributedDatabase(own, { mongo: config.mongo, keyring, keyTtlMs: config.dataKeyTtl })
  const ops = createOps({
    metrics,
    logger: log,
    checks: [database.check],
    listen: { host: '0.0.0.0', port: config.opsPort },
  })
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stopping.abort(new Error(`stopped by ${signal}`)))
  }

  await ops.start()
  ops.ready()
  let told = 0
  try {
    const report = await rotate({
      conversations: database.sealed,
      keyring,
      values,
      perSecond: config.rate,
      keyTtlMs: config.dataKeyTtl,
      signal: stopping.signal,
      onUnopenable: (sid) => log.error({ sid }, 'a session does not open, and stays under its key'),
      onProgress(progress) {
        left.set(progress.left)
        if (performance.now() - told < EVERY_MS) return
        told = performance.now()
        log.info(readable(progress), 'rotating keys')
      },
    })
    log.info(readable(report), outcomeOf(report))
    return report.left === 0 ? 0 : 1
  } catch (err) {
    log.error({ err }, 'the rotation broke off; run it again to go on')
    return 1
  } finally {
    await database.part.stop(AbortSignal.timeout(5_000))
    await ops.stop(AbortSignal.timeout(1_000))
  }
}

process.exit(await main())
