// Who may import whom. What is not allowed here is refused, so a new package or library gets its place by a line below.

/** What every package built on the core sees. */
const CORE = ['protocol', 'core']

/**
 * @typedef {object} PackageRule
 * @property {readonly string[]} sees packages that its sources may import
 * @property {readonly string[]} [types] packages of which they may import types, and nothing that runs
 * @property {boolean} [browser] runs in a browser as well, so that Node's own modules are out of reach
 */

/** @type {Record<string, PackageRule>} */
export const PACKAGES = {
  protocol: { sees: [] },
  core: { sees: ['protocol'] },
  runtime: { sees: CORE },
  crypto: { sees: CORE },
  memory: { sees: CORE },
  redis: { sees: CORE },
  mongo: { sees: CORE },
  sqlite: { sees: CORE },
  distributed: { sees: [...CORE, 'runtime', 'crypto', 'redis', 'mongo'] },
  testkit: { sees: CORE },
  client: { sees: [], types: ['protocol'], browser: true },
  widget: { sees: ['client'], types: ['protocol'], browser: true },
  console: { sees: ['client'], types: ['protocol'], browser: true },
}

/** What a service's files see; its main.ts alone, where the adapters are chosen, sees every package. */
export const IN_A_SERVICE = [...CORE, 'runtime']

/** The service that is made of the others: each of its files may import their public functions, and every package. */
export const COMPOSES_SERVICES = 'embedded'

/** Never part of what runs. */
export const TESTS_ONLY = ['testkit']

/**
 * Each library's home: the only folders whose sources import it. One that is not listed may have one home without
 * saying so; the second package that imports it is refused.
 * @type {Record<string, readonly string[]>}
 */
export const HOMES = {
  'uWebSockets.js': ['services/edge/src/transport'],
  '@anthropic-ai/sdk': ['services/worker/src/providers'],
  openai: ['services/worker/src/providers'],
  undici: ['services/worker/src/providers'],
  cockatiel: ['services/worker/src'],
  bullmq: ['packages/redis/src'],
  ioredis: ['packages/redis/src', 'packages/testkit/src'],
  mongodb: ['packages/mongo/src', 'packages/testkit/src'],
  libsql: ['packages/sqlite/src'],
  jose: ['packages/runtime/src'],
  pino: ['packages/runtime/src'],
  'prom-client': ['packages/runtime/src'],
  'rate-limiter-flexible': ['packages/memory/src', 'packages/redis/src'],
  'lru-cache': ['packages', 'services'],
  fastify: ['services/storage/src', 'services/admin/src', 'services/embedded/src'],
  // The doors where input is parsed: the wire, the environment, each service's HTTP.
  zod: ['packages/protocol/src', 'packages/runtime/src', 'services'],
  vitest: ['packages/testkit/src'],
  'fast-check': ['packages/testkit/src'],
  'playwright-core': ['packages/testkit/src'],
  ws: ['packages/testkit/src'],
}
