const ALLOWED = /^(?:https?:\/\/|mailto:)/i
// Spaces, control characters and marks that turn the reading direction have no place in an address.
const SUSPICIOUS = /[\s\p{Cc}\p{Cf}]/u

/**
 * The address to follow, normalised (hosts in punycode), or undefined. Only absolute web and mail addresses without
 * credentials may be followed; anything else stays text (security 36).
 */
export function safeLink(href: string): string | undefined {
  if (!ALLOWED.test(href) || SUSPICIOUS.test(href)) return undefined
  const url = parsed(href)
  return url && !url.username && !url.password ? url.href : undefined
}

function parsed(href: string): URL | undefined {
  try {
    return new URL(href)
  } catch {
    return undefined
  }
}
