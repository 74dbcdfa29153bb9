interface Cookie {
  readonly name: string
  readonly value: string
  readonly host: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: string | undefined
  readonly expiresAt: number
}

/**
 * RFC 6265bis as far as one server's cookies go: path, expiry, Domain, Secure, the `__Host-` and
 * `__Secure-` prefixes.
 */
export class CookieJar {
  #cookies: Cookie[] = []

  /** Stores what a browser would store of the `Set-Cookie` lines of an answer from `url`. */
  store(url: URL, lines: readonly string[]): void {
    for (const line of lines) {
      const cookie = parse(url, line)
      if (!cookie) continue
      this.#cookies = this.#cookies.filter((other) => keyOf(other) !== keyOf(cookie))
      if (cookie.expiresAt > Date.now()) this.#cookies.push(cookie)
    }
  }

  /** The `Cookie` header for a request to `url`: longest path first. */
  header(url: URL): string | undefined {
    const sent = this.#cookies
      .filter(
        (cookie) =>
          cookie.expiresAt > Date.now() &&
          domainMatches(cookie, url.hostname) &&
          pathMatches(cookie.path, url.pathname),
      )
      .filter((cookie) => !cookie.secure || isTrustworthy(url))
      .sort((a, b) => b.path.length - a.path.length)
    return sent.length > 0
      ? sent.map(({ name, value }) => `${name}=${value}`).join('; ')
      : undefined
  }

  /** Every live cookie, for assertions. */
  get all(): readonly Cookie[] {
    return this.#cookies.filter((cookie) => cookie.expiresAt > Date.now())
  }

  find(name: string): Cookie | undefined {
    return this.all.find((cookie) => cookie.name === name)
  }

  delete(name: string): void {
    this.#cookies = this.#cookies.filter((cookie) => cookie.name !== name)
  }

  clear(): void {
    this.#cookies = []
  }

  /** A second browser with the same cookies: what a thief of the cookies has. */
  copy(): CookieJar {
    const twin = new CookieJar()
    twin.#cookies = [...this.#cookies]
    return twin
  }
}

function parse(url: URL, line: string): Cookie | undefined {
  const [pair = '', ...rest] = line.split(';')
  const split = pair.indexOf('=')
  if (split < 1) return undefined
  const attributes = new Map(
    rest.map((part) => {
      const at = part.indexOf('=')
      const name = (at < 0 ? part : part.slice(0, at)).trim().toLowerCase()
      return [name, at < 0 ? '' : part.slice(at + 1).trim()]
    }),
  )
  const name = pair.slice(0, split).trim()
  const domain = attributes.get('domain')?.replace(/^\./, '').toLowerCase()
  const path = attributes.get('path')
  const cookie: Cookie = {
    name,
    value: pair.slice(split + 1).trim(),
    host: domain || url.hostname,
    hostOnly: !domain,
    path: path?.startsWith('/') ? path : defaultPath(url.pathname),
    secure: attributes.has('secure'),
    httpOnly: attributes.has('httponly'),
    sameSite: attributes.get('samesite')?.toLowerCase(),
    expiresAt: expiry(attributes),
  }
  if (!domainMatches(cookie, url.hostname)) return undefined
  if (cookie.secure && !isTrustworthy(url)) return undefined
  if (/^__(host|secure)-/i.test(name) && !cookie.secure) return undefined
  if (/^__host-/i.test(name) && (!cookie.hostOnly || path !== '/')) return undefined
  return cookie
}

function expiry(attributes: ReadonlyMap<string, string>): number {
  const maxAge = attributes.get('max-age')
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge))
    return Number(maxAge) > 0 ? Date.now() + Number(maxAge) * 1000 : 0
  const expires = Date.parse(attributes.get('expires') ?? '')
  return Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires
}

const keyOf = ({ name, host, path }: Cookie) => `${name};${host};${path}`
const defaultPath = (pathname: string) => pathname.slice(0, Math.max(1, pathname.lastIndexOf('/')))
const pathMatches = (path: string, pathname: string) =>
  pathname === path ||
  (pathname.startsWith(path) && (path.endsWith('/') || pathname[path.length] === '/'))
const domainMatches = ({ host, hostOnly }: Cookie, hostname: string) =>
  hostname === host || (!hostOnly && hostname.endsWith(`.${host}`))
/** Browsers treat loopback as a secure context, so Secure cookies work there over http. */
const isTrustworthy = (url: URL) =>
  url.protocol === 'https:' || /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
