import { z } from 'zod'
import { upstreamFault } from '../../../network/reach.ts'
import { webUrl } from '../../codecs/urls.ts'
import { type Codec, type Setting, setting } from '../../setting.ts'
import { FAULTY, type Faulty, type Source } from '../../source.ts'
import { type Access, VENDORS, type Vendor } from './spec.ts'

export const vendors = Object.keys(VENDORS) as readonly Vendor[]

/** It goes into a header as it is. */
const apiKey: Codec<string> = z.string().regex(/^[\x21-\x7e]{1,4096}$/, 'must be printable characters without blanks')

const keys = Object.fromEntries(vendors.map((vendor) => [vendor, keyOf(vendor)])) as Record<
  Vendor,
  Setting<string | undefined>
>
const urls = Object.fromEntries(vendors.map((vendor) => [vendor, urlOf(vendor)])) as Record<Vendor, Setting<URL>>

function keyOf(vendor: Vendor): Setting<string | undefined> {
  const { name, key } = VENDORS[vendor]
  return setting(key, apiKey, { about: `Key that ${name} gave you.`, optional: true, secret: true })
}

function urlOf(vendor: Vendor): Setting<URL> {
  const { name, url, baseUrl } = VENDORS[vendor]
  return setting(url, webUrl, {
    about: `Where models of ${name} are asked that have no baseUrl of their own.`,
    default: baseUrl,
  })
}

export const accessDocs = vendors.flatMap((vendor) => [...keys[vendor].docs, ...urls[vendor].docs])

/** How a vendor is reached; each variable is read once, so that what is wrong with it is told once. */
export function accessFrom(source: Source, privateHosts: readonly string[]) {
  const read = new Map<string, string | undefined | Faulty>()

  function once<T extends string | undefined>(name: string, value: () => T | Faulty): string | undefined | Faulty {
    if (!read.has(name)) read.set(name, value())
    return read.get(name)
  }

  function baseUrl(vendor: Vendor, own: URL | undefined, place: string): string | Faulty {
    if (own) {
      const fault = upstreamFault(own, privateHosts)
      return fault === undefined ? withoutSlash(own) : source.fault('MODELS', `${place}: baseUrl ${fault}`)
    }
    const { url: name } = VENDORS[vendor]
    const url = once(name, () => {
      const parsed = urls[vendor].read(source)
      if (parsed === FAULTY) return FAULTY
      const fault = parsed.search === '' ? upstreamFault(parsed, privateHosts) : 'must have no query'
      return fault === undefined ? withoutSlash(parsed) : source.fault(name, fault)
    })
    return url ?? FAULTY
  }

  function keyless(vendor: Vendor, own: URL, place: string): Access | Faulty {
    const url = baseUrl(vendor, own, place)
    // Servers on one's own machine that speak like OpenAI ask for none.
    if (vendor === 'openai') return url === FAULTY ? FAULTY : { baseUrl: url, apiKey: '' }
    return source.fault('MODELS', `${place}: key must be named beside a baseUrl of its own`)
  }

  return {
    /** Undefined where its key is not set. */
    preset(vendor: Vendor): Access | undefined | Faulty {
      const key = once(VENDORS[vendor].key, () => keys[vendor].read(source))
      if (key === undefined || key === FAULTY) return key
      const url = baseUrl(vendor, undefined, '')
      return url === FAULTY ? FAULTY : { baseUrl: url, apiKey: key }
    },
    of(vendor: Vendor, named: string | undefined, own: URL | undefined, place: string): Access | Faulty {
      // The usual key goes to the usual server, and nowhere else unless somebody says so.
      if (own && named === undefined) return keyless(vendor, own, place)
      const name = named ?? VENDORS[vendor].key
      const missing = `is missing, and ${place} of MODELS needs it`
      const key = once(name, () => setting(name, apiKey, { about: '', secret: true, missing }).read(source))
      const url = baseUrl(vendor, own, place)
      return key === undefined || key === FAULTY || url === FAULTY ? FAULTY : { baseUrl: url, apiKey: key }
    },
  }
}

const withoutSlash = ({ href }: URL): string => href.replace(/\/+$/, '')
