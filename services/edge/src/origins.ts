export interface OriginRules {
  /** Exact origins, such as `https://www.example.com`. */
  readonly allowed: readonly string[]
  /** The service's own address; its origin counts as allowed. */
  readonly publicUrl?: URL
  /** Turning the check off is explicit, and refused in production (X1). */
  readonly check: boolean
  /**
   * If given, requests whose Host header does not pass are refused: a foreign name that resolves to this machine is a foreign
   * page. A page of a host that passes may open a socket there.
   */
  readonly ownHost?: (host: string) => boolean
}

export interface HandshakeOrigin {
  readonly origin: string | undefined
  readonly host: string | undefined
  readonly hasAuthorization: boolean
}

/** Who may open a WebSocket (X1). Exact comparison: no suffixes, no wildcards, no case folding. */
export function originPolicy(rules: OriginRules): (handshake: HandshakeOrigin) => boolean {
  const allowed = new Set(rules.allowed)
  if (rules.publicUrl) allowed.add(rules.publicUrl.origin)
  return ({ origin, host, hasAuthorization }) => {
    if (rules.ownHost && !(host && rules.ownHost(host))) return false
    if (!rules.check) return true
    if (rules.ownHost && origin === `http://${host}`) return true
    // A browser always sends an Origin with an upgrade; what is not a browser shows its token at once.
    return origin === undefined ? hasAuthorization : allowed.has(origin)
  }
}
