import { badPort } from '../public-url.ts'

export type ClientType = 'web' | 'native' | 'spa' | 'service'

const MAX_LENGTH = 2000
/**
 * Hosts that plain http may name: exactly these, so that no DNS name and no other machine can stand
 * in (RFC 8252 7.3).
 */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
/** Parameters of the authorization response; registered ones would come twice (RFC 6749 4.1.2, RFC 9207). */
const RESERVED = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri', 'response']
const SCHEME = /^([a-z][a-z0-9+.-]*):/i
const REVERSE_DOMAIN = /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+$/

/**
 * Why this redirect URI may not be registered, as half a sentence, or undefined if it may (AZ-01,
 * RFC 9700 2.1). The rules look at the characters as written: what a URL parser would quietly mend
 * is refused, because requests are compared as strings.
 */
export function checkRedirectUri(uri: string, type: ClientType): string | undefined {
  return asWritten(uri) ?? traversal(uri) ?? byScheme(uri, type)
}

function asWritten(uri: string): string | undefined {
  if (uri === '') return 'is empty'
  if (uri.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(uri)) return 'contains a control character'
  if (/\s/.test(uri)) return 'contains white space'
  if (/[^!-~]/.test(uri))
    return 'contains characters outside ASCII; write the host in punycode and the rest percent-encoded'
  if (uri.includes('\\')) return 'contains a backslash'
  if (uri.includes('#')) return 'contains a fragment'
  if (uri.includes('*')) return 'contains a wildcard'
  if (/%(?![0-9a-f]{2})/i.test(uri)) return 'contains a percent sign that encodes nothing'
  if (/%([01][0-9a-f]|7f|5c)/i.test(uri))
    return 'contains an encoded control character or backslash'
  return undefined
}

/** `..` in the path, in however many layers of percent-encoding. */
function traversal(uri: string): string | undefined {
  let path = uri.replace(SCHEME, '').replace(/\?.*$/, '')
  for (let layer = 0; layer < 4; layer++) {
    if (path.split(/[/\\;]/).some((segment) => segment === '..' || segment === '.'))
      return 'contains a dot segment (".." or ".")'
    path = path.replace(/%(2e|2f|5c|25|3b)/gi, (encoded) => decodeURIComponent(encoded))
  }
  return undefined
}

function byScheme(uri: string, type: ClientType): string | undefined {
  const scheme = SCHEME.exec(uri)?.[1]?.toLowerCase()
  if (!scheme) return 'is not an absolute URI'
  if (scheme === 'https' || scheme === 'http') return web(uri, scheme, type)
  if (['javascript', 'data', 'vbscript', 'blob', 'file', 'about'].includes(scheme))
    return `uses the scheme ${scheme}:`
  if (type !== 'native')
    return `uses the scheme ${scheme}:; only native apps may use a scheme of their own`
  if (!REVERSE_DOMAIN.test(scheme))
    return `uses the scheme ${scheme}:; a private-use scheme is a reversed domain name, such as com.example.app`
  if (/^[^:]+:\/\/[^/?]*@/.test(uri)) return 'contains a user name or password'
  return canonical(uri) ?? response(uri)
}

function web(uri: string, scheme: string, type: ClientType): string | undefined {
  const authority = /^https?:\/\/([^/?]*)/i.exec(uri)?.[1]
  if (!authority) return 'has no host'
  if (authority.includes('@')) return 'contains a user name or password'
  const url = URL.parse(uri)
  if (!url) return 'is not a valid URL'
  if (url.hostname.endsWith('.')) return 'has a host that ends in a dot'
  if (badPort(url)) return `uses port ${url.port}, where no web server may be expected`
  const isLoopback = LOOPBACK.has(url.hostname)
  if (scheme === 'http' && !isLoopback)
    return 'is plain http; only localhost, 127.0.0.1 and [::1] may be'
  if (scheme === 'https' && isLoopback && type === 'native')
    return 'is https on loopback, which native apps cannot claim; use http'
  return canonical(uri) ?? response(uri)
}

function canonical(uri: string): string | undefined {
  const url = URL.parse(uri)
  if (!url) return 'is not a valid URL'
  return url.href === uri || url.href === `${uri}/`
    ? undefined
    : `is not written in its canonical form, ${url.href}`
}

function response(uri: string): string | undefined {
  const taken = RESERVED.find((name) => URL.parse(uri)?.searchParams.has(name))
  return taken ? `has a query parameter "${taken}", which the answer uses itself` : undefined
}
