import { createHash } from 'node:crypto'
import { createRemoteJWKSet, type JWTVerifyOptions, jwtVerify } from 'jose'
import * as oidc from 'openid-client'
import { createClient, type NewClient, REDIRECT_URI } from './factories.ts'
import type { TestServer } from './server.ts'

export interface RelyingPartyOptions extends NewClient {
  /** Of an existing client; without it a client is registered first. */
  readonly clientSecret?: string | undefined
  readonly redirectUri?: string
  /** How it authenticates; default `client_secret_basic`, or `none` without a secret. */
  readonly auth?: oidc.ClientAuth
}

type Parameters = Readonly<Record<string, string>>

/**
 * An app that uses the server through openid-client: PKCE, state and nonce in every request,
 * everything validated.
 */
export class RelyingParty {
  readonly config: oidc.Configuration
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly redirectUri: string
  readonly #sent = new Map<
    string,
    { nonce: string; verifier: string; maxAge: string | undefined }
  >()

  constructor(
    config: oidc.Configuration,
    client: { clientId: string; clientSecret?: string | undefined; redirectUri: string },
  ) {
    this.config = config
    this.clientId = client.clientId
    this.clientSecret = client.clientSecret
    this.redirectUri = client.redirectUri
  }

  /** Scope `openid` unless told otherwise. Remembers verifier and nonce under `state` until `redeem`. */
  authorizationUrl(parameters: Parameters = {}): URL {
    const state = parameters['state'] ?? oidc.randomState()
    const nonce = parameters['nonce'] ?? oidc.randomNonce()
    const verifier = oidc.randomPKCECodeVerifier()
    this.#sent.set(state, { nonce, verifier, maxAge: parameters['max_age'] })
    return oidc.buildAuthorizationUrl(this.config, {
      redirect_uri: this.redirectUri,
      scope: 'openid',
      state,
      nonce,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...parameters,
    })
  }

  /**
   * Exchanges the code of a callback and validates state, nonce, `iss` and ID token. Throws
   * openid-client's errors.
   */
  async redeem(callback: URL | string, parameters: Parameters = {}) {
    const url = new URL(callback)
    const state = url.searchParams.get('state') ?? ''
    const sent = this.#sent.get(state)
    if (!sent) throw new Error(`No request was sent with state ${state}: ${url.href}`)
    return oidc.authorizationCodeGrant(
      this.config,
      url,
      {
        expectedState: state,
        expectedNonce: sent.nonce,
        pkceCodeVerifier: sent.verifier,
        ...(sent.maxAge === undefined ? {} : { maxAge: Number(sent.maxAge) }),
      },
      parameters,
    )
  }

  /** The PKCE verifier that belongs to a callback, for exchanges made by hand. */
  verifierOf(callback: URL | string): string {
    return this.#sent.get(new URL(callback).searchParams.get('state') ?? '')?.verifier ?? ''
  }

  refresh(refreshToken: string, parameters: Parameters = {}) {
    return oidc.refreshTokenGrant(this.config, refreshToken, parameters)
  }

  clientCredentials(parameters: Parameters = {}) {
    return oidc.clientCredentialsGrant(this.config, parameters)
  }

  userinfo(accessToken: string, subject?: string) {
    return oidc.fetchUserInfo(this.config, accessToken, subject ?? oidc.skipSubjectCheck)
  }

  introspect(token: string, parameters: Parameters = {}) {
    return oidc.tokenIntrospection(this.config, token, parameters)
  }

  revoke(token: string, parameters: Parameters = {}) {
    return oidc.tokenRevocation(this.config, token, parameters)
  }

  endSessionUrl(parameters: Parameters = {}): URL {
    return oidc.buildEndSessionUrl(this.config, parameters)
  }

  /** Verifies a JWT access token as a resource server would (RFC 9068). */
  async verifyAccessToken(token: string, audience: string, options: JWTVerifyOptions = {}) {
    const { issuer, jwks_uri: jwksUri = '' } = this.config.serverMetadata()
    return jwtVerify(token, createRemoteJWKSet(new URL(jwksUri)), {
      issuer,
      audience,
      typ: 'at+jwt',
      ...options,
    })
  }
}

/** Discovers the server and registers a client unless `clientId` names one. */
export async function relyingParty(
  server: Pick<TestServer, 'origin' | 'context'>,
  { clientSecret, redirectUri, auth, ...wanted }: RelyingPartyOptions = {},
): Promise<RelyingParty> {
  const client =
    wanted.clientId === undefined
      ? await createClient(server, wanted)
      : { clientId: wanted.clientId, clientSecret, redirectUri: redirectUri ?? REDIRECT_URI }
  const method =
    auth ??
    (client.clientSecret === undefined ? oidc.None() : oidc.ClientSecretBasic(client.clientSecret))
  const config = await oidc.discovery(new URL(server.origin), client.clientId, {}, method, {
    execute: [oidc.allowInsecureRequests],
  })
  return new RelyingParty(config, { ...client, redirectUri: redirectUri ?? client.redirectUri })
}
