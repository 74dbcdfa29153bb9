import type * as Library from 'openid-client'
import type { Fetch } from '../outgoing/guarded-fetch.ts'

/** One provider, as one client of it. */
export interface Party {
  readonly issuer: string
  readonly clientId: string
  /** What the token request shows, made anew for each; absent for a client that has no secret. */
  readonly secret: (() => string) | undefined
  readonly fetch: Fetch
}

/** As the provider's metadata say; by default `client_secret_basic` (OpenID Connect Discovery 3). */
export function authentication(library: typeof Library, secret: (() => string) | undefined) {
  const authenticate: Library.ClientAuth = (server, client, body, headers) => {
    const methods = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic']
    const method = !secret
      ? library.None()
      : methods.includes('client_secret_basic')
        ? library.ClientSecretBasic(secret())
        : library.ClientSecretPost(secret())
    method(server, client, body, headers)
  }
  return authenticate
}
