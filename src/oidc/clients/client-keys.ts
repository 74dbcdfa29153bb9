import { checkJwks } from '../../clients/jwks.ts'
import { type Fetch, RequestRefused } from '../../outgoing/guarded-fetch.ts'

const MAX_KEYS = 10

/**
 * Fetches for the provider: what comes from a client's `jwks_uri` is held to the same rules as a
 * registered JWKS (JW-06). Keys for other uses may stand in it and are left out.
 */
export function checkingClientKeys(fetch: Fetch): Fetch {
  return async (url, init) => {
    const response = await fetch(url, init)
    if ((init?.method ?? 'GET') !== 'GET' || response.status !== 200) return response
    const { keys } = (await response.json()) as { keys?: unknown }
    if (!Array.isArray(keys) || keys.length > MAX_KEYS)
      throw new RequestRefused(`a JWKS is an object with at most ${MAX_KEYS} keys`)
    const kept = keys.flatMap((key: unknown) => {
      const checked = checkJwks({ keys: [key] })
      return 'jwks' in checked ? checked.jwks.keys : []
    })
    const headers = new Headers(response.headers)
    headers.delete('content-length')
    return new Response(JSON.stringify({ keys: kept }), { status: 200, headers })
  }
}
