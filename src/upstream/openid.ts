import { createRemoteJWKSet, customFetch, type JWTVerifyResult, jwtVerify } from 'jose'
import type * as Library from 'openid-client'
import { OUTGOING, UPSTREAM } from '../config/limits.ts'
import type { Fetch } from '../outgoing/guarded-fetch.ts'
import { keepingAnswers } from './kept-answers.ts'
import { type Ask, absent, type Claims, type OAuthKind, type OpenIdKind } from './kind.ts'
import { authentication, type Party } from './party.ts'
import { UpstreamRefusal } from './refusal.ts'
import { TwoNames } from './two-names.ts'

/** Loaded with the first provider that is asked: most servers have none. */
const load = (): Promise<typeof Library> => import('openid-client')

/** Signed by a key of its own, and lately. */
const TOKEN = {
  algorithms: [
    'ES256',
    'ES384',
    'ES512',
    'RS256',
    'RS384',
    'RS512',
    'PS256',
    'PS384',
    'PS512',
  ].concat('EdDSA', 'Ed25519'),
  maxTokenAge: 300,
  clockTolerance: 30,
}

export interface Checks {
  readonly state: string
  readonly nonce: string
  readonly verifier: string
  readonly maxAge?: number | undefined
}

/** A provider whose addresses are known. */
export interface Connection {
  readonly issuer: string
  authorizationUrl(parameters: Readonly<Record<string, string>>): URL
  challenge(verifier: string): Promise<string>
}

export interface OpenIdConnection extends Connection {
  readonly kind: OpenIdKind
  readonly speaks: 'openid'
  /** Claims of the ID token, all of them checked, and of userinfo for what it lacks. */
  redeem(callback: URL, checks: Checks): Promise<Claims>
  /** Asks for its keys anew. */
  reloadKeys(): Promise<void>
  /** What a token of it for this client says. Not of ID tokens, which `redeem` checks. */
  verify(token: string): Promise<JWTVerifyResult>
}

export interface OAuthConnection extends Connection {
  readonly kind: OAuthKind
  readonly speaks: 'oauth'
  redeem(callback: URL, checks: Checks): Promise<Ask>
}

export type AnyConnection = OpenIdConnection | OAuthConnection

/** By discovery. */
export async function connectOpenId(kind: OpenIdKind, party: Party): Promise<OpenIdConnection> {
  const library = await load()
  let jwksUri = ''
  const names = kind.alsoIssuer && new TwoNames(library, party, kind.alsoIssuer(party.issuer))
  const fetch = keepingAnswers(names?.keeping(party.fetch) ?? party.fetch, {
    isKept: (url) => url === jwksUri,
    staleMs: UPSTREAM.staleMs,
  })
  const config = await library.discovery(
    new URL(party.issuer),
    party.clientId,
    {},
    authentication(library, party.secret),
    { ...options(library, fetch), execute: [library.enableNonRepudiationChecks] },
  )
  const server = config.serverMetadata()
  jwksUri = server.jwks_uri ?? ''
  for (const needed of ['authorization_endpoint', 'token_endpoint', 'jwks_uri'] as const)
    if (!server[needed]) throw new UpstreamRefusal('broken', new Error(`It has no ${needed}`))
  const keySet = createRemoteJWKSet(new URL(jwksUri), {
    timeoutDuration: OUTGOING.providerMs,
    [customFetch]: fetch,
  })
  return {
    ...connectionOf(library, config),
    kind,
    speaks: kind.speaks,
    reloadKeys: () => keySet.reload(),
    verify: (token) =>
      jwtVerify(token, keySet, { ...TOKEN, issuer: server.issuer, audience: party.clientId }),
    async redeem(callback, { state, nonce, verifier, maxAge }) {
      const grant = (url: URL, by: Library.Configuration) =>
        library.authorizationCodeGrant(by, url, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          idTokenExpected: true,
          ...(maxAge === undefined ? {} : { maxAge }),
        })
      const tokens = await (names?.redeem(callback, config, grant) ?? grant(callback, config))
      const signed: Claims = tokens.claims() ?? {}
      const claims = names ? { ...signed, iss: server.issuer } : signed
      const isWhole = claims['email'] !== undefined && claims['name'] !== undefined
      if (isWhole || !server.userinfo_endpoint) return claims
      const subject = String(claims['sub'])
      return together(claims, await library.fetchUserInfo(config, tokens.access_token, subject))
    },
  }
}

/** Without discovery, by what the kind knows of it. */
export async function connectOAuth(kind: OAuthKind, party: Party): Promise<OAuthConnection> {
  const library = await load()
  const { authorization, token, api } = kind.endpoints(party.issuer)
  const config = new library.Configuration(
    { issuer: party.issuer, authorization_endpoint: authorization, token_endpoint: token },
    party.clientId,
    {},
    party.secret ? library.ClientSecretPost(party.secret()) : library.None(),
  )
  const { timeout, [library.customFetch]: byGuard } = options(library, party.fetch)
  config.timeout = timeout
  config[library.customFetch] = byGuard
  return {
    ...connectionOf(library, config),
    kind,
    speaks: kind.speaks,
    async redeem(callback, { state, verifier }) {
      const { access_token: token } = await library.authorizationCodeGrant(config, callback, {
        expectedState: state,
        pkceCodeVerifier: verifier,
      })
      return async (path) => {
        const url = new URL(api + path)
        const headers = new Headers({ accept: kind.accept, 'user-agent': 'Gatehouse' })
        const ask = library.fetchProtectedResource
        const response = await ask(config, token, url, 'GET', null, headers)
        if (response.status === 404) return absent
        if (!response.ok)
          throw new UpstreamRefusal('broken', new Error(`${path} answered ${response.status}`))
        return response.json()
      }
    },
  }
}

function connectionOf(library: typeof Library, config: Library.Configuration): Connection {
  return {
    issuer: config.serverMetadata().issuer,
    authorizationUrl: (parameters) => library.buildAuthorizationUrl(config, { ...parameters }),
    challenge: (verifier) => library.calculatePKCECodeChallenge(verifier),
  }
}

function options(library: typeof Library, fetch: Fetch) {
  const byGuard: Library.CustomFetch = (url, init) => fetch(url, init as RequestInit)
  return { [library.customFetch]: byGuard, timeout: OUTGOING.providerMs / 1000 }
}

/** What is signed counts; an address goes with the word on it of the same document. */
function together(signed: Claims, told: Claims): Claims {
  const { email, email_verified: verified, ...rest } = signed
  const address = email === undefined ? {} : { email, email_verified: verified }
  const base = email === undefined ? told : { ...told, email_verified: undefined }
  return { ...base, ...rest, ...address }
}
