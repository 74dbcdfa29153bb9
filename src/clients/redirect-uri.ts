import { isPrivateHost } from '../private-networks.ts'
import { badPort } from '../public-url.ts'
import { checkOwnScheme } from './own-scheme.ts'
import type { Reason } from './reasons.ts'
import { redirectKind } from './redirect-kind.ts'

export type ClientType = 'web' | 'native' | 'spa' | 'service'
/** Whose it is, and whether the operator lets it have plain http in private networks. */
export interface RedirectOwner {
  readonly type: ClientType
  readonly allowPrivateRedirect?: boolean
}

const MAX_LENGTH = 2000
/** Parameters of the authorization response; registered ones would come twice (RFC 6749 4.1.2, RFC 9207). */
const RESERVED = ['code', 'state', 'iss', 'error', 'error_description', 'error_uri', 'response']
const SCHEME = /^([a-z][a-z0-9+.-]*):/i

/**
 * Why this redirect URI may not be registered, or undefined if it may (AZ-01, RFC 9700 2.1). The rules look at the characters as written: what a URL parser would quietly mend
 * is refused, because requests are compared as strings.
 */
export function checkRedirectUri(uri: string, owner: RedirectOwner): Reason | undefined {
  return asWritten(uri) ?? traversal(uri) ?? byScheme(uri, owner)
}

function asWritten(uri: string): Reason | undefined {
  if (uri === '') return { code: 'empty' }
  if (uri.length > MAX_LENGTH) return { code: 'uri_too_long', values: { max: MAX_LENGTH } }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f-\u009f]/.test(uri)) return { code: 'control_character' }
  if (/\s/.test(uri)) return { code: 'white_space' }
  if (/[^!-~]/.test(uri)) return { code: 'not_ascii' }
  if (uri.includes('\\')) return { code: 'backslash' }
  if (uri.includes('#')) return { code: 'fragment' }
  if (uri.includes('*')) return { code: 'wildcard' }
  if (/%(?![0-9a-f]{2})/i.test(uri)) return { code: 'bad_percent' }
  if (/%([01][0-9a-f]|7f|5c)/i.test(uri)) return { code: 'encoded_control' }
  return undefined
}

/** `..` in the path, in however many layers of percent-encoding. */
function traversal(uri: string): Reason | undefined {
  let path = uri.replace(SCHEME, '').replace(/\?.*$/, '')
  for (let layer = 0; layer < 4; layer++) {
    if (path.split(/[/\\;]/).some((segment) => segment === '..' || segment === '.'))
      return { code: 'dot_segment' }
    path = path.replace(/%(2e|2f|5c|25|3b)/gi, (encoded) => decodeURIComponent(encoded))
  }
  return undefined
}

function byScheme(uri: string, owner: RedirectOwner): Reason | undefined {
  const scheme = SCHEME.exec(uri)?.[1]?.toLowerCase()
  if (!scheme) return { code: 'not_absolute' }
  if (scheme === 'https' || scheme === 'http') return web(uri, scheme, owner)
  const taken = checkOwnScheme(scheme)
  if (taken) return taken
  if (owner.type === 'spa') return { code: 'own_scheme', values: { scheme } }
  if (/^[^:]+:\/\/[^/?]*@/.test(uri)) return { code: 'credentials' }
  return canonical(uri) ?? response(uri)
}

function web(uri: string, scheme: string, owner: RedirectOwner): Reason | undefined {
  const authority = /^https?:\/\/([^/?]*)/i.exec(uri)?.[1]
  if (!authority) return { code: 'no_host' }
  if (authority.includes('@')) return { code: 'credentials' }
  const url = URL.parse(uri)
  if (!url) return { code: 'not_url' }
  if (url.hostname.endsWith('.')) return { code: 'final_dot' }
  if (badPort(url)) return { code: 'bad_port', values: { port: url.port } }
  const isLoopback = redirectKind(uri) === 'loopback'
  if (scheme === 'http' && !isLoopback && !isPrivateHost(url.hostname))
    return { code: 'plain_http' }
  if (scheme === 'http' && !isLoopback && !owner.allowPrivateRedirect)
    return { code: 'private_http' }
  if (scheme === 'https' && isLoopback && owner.type === 'native') return { code: 'loopback_https' }
  return canonical(uri) ?? response(uri)
}

function canonical(uri: string): Reason | undefined {
  const url = URL.parse(uri)
  if (!url) return { code: 'not_url' }
  return url.href === uri || url.href === `${uri}/`
    ? undefined
    : { code: 'not_canonical', values: { href: url.href } }
}

function response(uri: string): Reason | undefined {
  const taken = RESERVED.find((name) => URL.parse(uri)?.searchParams.has(name))
  return taken ? { code: 'reserved_parameter', values: { name: taken } } : undefined
}
