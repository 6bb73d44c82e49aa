#!/usr/bin/env node
import { configFromCommandLine, createLogger, lifecycle, logConfigWarnings, type Part } from '@chatbox/runtime'
import { type EmbeddedConfig, embeddedConfig } from './config.ts'
import { createEmbedded } from './embedded.ts'
import { sentenceFor } from './sentences.ts'

async function main(): Promise<number> {
  const loaded = configFromCommandLine(embeddedConfig, {
    argv: process.argv.slice(2),
    // Whoever tries it out reads the address, not a log; LOG_LEVEL=info shows all that a service logs.
    env: { LOG_LEVEL: 'warn', ...process.env },
    flags: { port: 'PORT', data: 'DATA_DIR', host: 'HOST' },
    help: {
      call: 'npm start --',
      variables: ['PUBLIC_URL', 'JWT_SECRET', 'WS_ALLOWED_ORIGINS'],
      more: 'Every setting is in docs/configuration.md.',
    },
  })
  if ('exitCode' in loaded) return loaded.exitCode
  const { config, warnings } = loaded
  const logger = createLogger({ service: 'chatbox', level: config.logLevel })
  logConfigWarnings(logger, warnings)
  const tellFailure = (error: unknown): boolean => {
    const sentence = sentenceFor(error, config)
    if (sentence !== undefined) process.stderr.write(`${sentence}\n`)
    return sentence !== undefined
  }
  try {
    const { parts, address, demo } = await createEmbedded(config, logger)
    const announce: Part = {
      name: 'address',
      start: async () => void process.stdout.write(greeting(address(), config, demo)),
      stop: async () => undefined,
    }
    let stoppedBy: string | undefined
    const onSignal = (signal: string) => {
      stoppedBy = signal
    }
    const options = {
      logger,
      deadlineMs: config.shutdown.timeout,
      drainMs: config.shutdown.delay,
      tellFailure,
      onSignal,
    }
    const exitCode = await lifecycle([...parts, announce], options).run()
    if (stoppedBy !== undefined && exitCode === 0) {
      // A terminal has just shown ^C, and stays on that line.
      const newLine = stoppedBy === 'SIGINT' ? '\n' : ''
      process.stdout.write(`${newLine}Stopped. Everything is kept in ${config.dataDir}.\n`)
    }
    return exitCode
  } catch (error) {
    if (!tellFailure(error)) throw error
    return 1
  }
}

const greeting = (address: string, { dataDir, models: { models } }: EmbeddedConfig, demo: boolean): string =>
  [
    '',
    `  Chatbox is ready:  ${address}`,
    ...(demo ? [] : ['  Pages bring their own tokens: docs/embedding.md']),
    models.every(({ provider }) => provider === 'demo')
      ? '  The demo model answers; with the key of a vendor, a real one: docs/models.md'
      : `  Models: ${models.map(({ id }) => id).join(', ')}`,
    `  Data in ${dataDir}; stop with Ctrl-C.`,
    '',
    '',
  ].join('\n')

process.exit(await main())
