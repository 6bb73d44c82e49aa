import { isIP } from 'node:net'
import { plainHost } from '../../network/reach.ts'
import { host } from '../codecs/urls.ts'
import { integer, list } from '../codecs/values.ts'
import { mapped } from '../group.ts'
import { type Setting, setting } from '../setting.ts'

/** PROVIDER_ALLOW_PRIVATE (X11, security 35). */
export function privateProviders(): Setting<readonly string[]> {
  const hosts = setting('PROVIDER_ALLOW_PRIVATE', list(host), {
    about: 'Comma-separated hosts of providers that may have private addresses, and be reached by plain http.',
    default: '',
  })
  return mapped(hosts, (names) => names.map(spelledAsInUrls))
}

/** PROVIDER_CONCURRENCY: so that one provider that is slow does not have all the slots of a worker. */
export function providerConcurrency(): Setting<number> {
  return setting('PROVIDER_CONCURRENCY', integer({ min: 1, max: 10_000 }), {
    about: 'Requests that one worker has under way at one provider at once; as many again wait.',
    default: '50',
  })
}

/** What is compared with it is the host of a URL, where each address has one spelling. */
function spelledAsInUrls(name: string): string {
  const url = `http://${isIP(name) === 6 ? `[${name}]` : name}`
  return URL.canParse(url) ? plainHost(new URL(url).hostname) : plainHost(name)
}
