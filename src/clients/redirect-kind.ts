/**
 * Who may answer at a redirect URI: the holder of a domain, any program of that machine, any
 * machine of that network, any app that claims the scheme (RFC 8252 8.6).
 */
export type RedirectKind = 'https' | 'loopback' | 'private' | 'scheme'

/** Exactly these, so that no DNS name and no other machine can take their place (RFC 8252 7.3). */
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Of a URI that may be registered. */
export function redirectKind(uri: string): RedirectKind {
  const url = webUrl(uri)
  if (!url) return 'scheme'
  if (LOOPBACK.has(url.hostname)) return 'loopback'
  return url.protocol === 'https:' ? 'https' : 'private'
}

/** What people are shown of it: who answers, and nothing that looks like somebody else. */
export function shownAddress(uri: string): string {
  return webUrl(uri)?.host ?? URL.parse(uri)?.protocol ?? uri
}

function webUrl(uri: string): URL | undefined {
  const url = URL.parse(uri)
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}
