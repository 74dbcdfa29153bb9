import { ENDPOINTS } from '../endpoints.ts'

/** Of the server's own APIs, and of what it will answer beneath them. */
const APIS = '/api/'

/**
 * Whether the server itself goes by that name: its issuer, its endpoints, its own APIs. A token whose
 * `aud` is one of them is for nobody else.
 */
export function ownIdentifiers(issuer: string): (identifier: string) => boolean {
  const base = normal(issuer)
  const own = new Set([base, ...Object.values(ENDPOINTS).map(({ path }) => `${base}${path}`)])
  return (identifier) => {
    const name = normal(identifier)
    return own.has(name) || `${name}/`.startsWith(`${base}${APIS}`)
  }
}

/** Hosts and schemes in any case, default ports and a final slash make no other name. */
function normal(uri: string): string {
  return (URL.parse(uri)?.href ?? uri).replace(/\/+$/, '')
}
