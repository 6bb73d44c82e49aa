#!/usr/bin/env node
import { configFromCommandLine, createLogger, lifecycle, logConfigWarnings } from '@chatbox/runtime'
import { embeddedConfig } from './config.ts'
import { createEmbedded } from './embedded.ts'
import { sentenceFor } from './sentences.ts'

async function main(): Promise<number> {
  const loaded = configFromCommandLine(embeddedConfig, {
    argv: process.argv.slice(2),
    // Whoever tries it out reads the address, not a log; LOG_LEVEL=info shows all that a service logs.
    env: { LOG_LEVEL: 'warn', ...process.env },
    flags: { port: 'PORT', data: 'DATA_DIR', host: 'HOST' },
  })
  if ('exitCode' in loaded) return loaded.exitCode
  const { config, warnings } = loaded
  const logger = createLogger({ service: 'chatbox', level: config.logLevel })
  logConfigWarnings(logger, warnings)
  try {
    const { parts, address } = await createEmbedded(config, logger)
    const announce = {
      name: 'address',
      start: async () =>
        void process.stdout.write(
          `\n  Chatbox is ready:  ${address()}\n  Data in ${config.dataDir}; stop with Ctrl-C.\n\n`,
        ),
      stop: async () => undefined,
    }
    return await lifecycle([...parts, announce], { logger, deadlineMs: config.shutdownTimeout }).run()
  } catch (error) {
    const sentence = sentenceFor(error, config)
    if (sentence === undefined) throw error
    process.stderr.write(`${sentence}\n`)
    return 1
  }
}

process.exit(await main())
