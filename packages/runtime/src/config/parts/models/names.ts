import { z } from 'zod'
import { list } from '../../codecs/values.ts'
import { type Codec, type Setting, setting } from '../../setting.ts'
import { FAULTY, type Faulty, type Source } from '../../source.ts'
import { type NamingVendor, USUAL_MODELS, VENDORS, type Vendor } from './spec.ts'

const names: Codec<readonly string[]> = list(z.string().max(100, 'must have at most 100 characters')).pipe(
  z.array(z.string()).min(1, 'must name at least one model'),
)

const settings: Readonly<Record<NamingVendor, Setting<readonly string[]>>> = {
  openai: namesOf('openai'),
  anthropic: namesOf('anthropic'),
}

function namesOf(vendor: NamingVendor): Setting<readonly string[]> {
  const { name, key, models } = VENDORS[vendor]
  return setting(models, names, {
    about: `Comma-separated names of ${name}'s models that ${key} alone offers; the first one is the default. Not read where there is MODELS.`,
    default: Object.keys(USUAL_MODELS[vendor]).join(','),
  })
}

export const namesDocs = Object.values(settings).flatMap(({ docs }) => docs)

/** Which of a vendor's models are on offer without MODELS. */
export function namesFrom(source: Source) {
  const taken = new Set<string>()
  return (vendor: Vendor): readonly string[] | Faulty => {
    if (vendor === 'dify') return []
    const found = settings[vendor].read(source)
    if (found === FAULTY) return FAULTY
    if (found.some((name) => taken.has(name) || name === 'dify')) {
      return source.fault(VENDORS[vendor].models, 'names a model that is on offer by another key already')
    }
    for (const name of found) taken.add(name)
    return found
  }
}
