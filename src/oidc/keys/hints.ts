import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import type { Client, KoaContextWithOIDC, Provider } from 'oidc-provider'
import { settingsOf } from '../clients/settings.ts'
import { type KeyLife, verifiesHints } from './key-schedule.ts'

/** The public half of a key that has signed ID tokens, and when. */
export interface HintKey extends KeyLife {
  readonly kid: string
  readonly alg: string
  readonly publicJwk: Readonly<Record<string, unknown>>
}

/** How late an instance may have changed to another key, or its clock be. */
const TOLERANCE = 60

interface Claims {
  readonly iss?: unknown
  readonly sub?: unknown
  readonly aud?: unknown
  readonly iat?: unknown
  readonly exp?: unknown
  readonly sid?: unknown
  readonly events?: unknown
  readonly client_id?: unknown
}

/**
 * Apps keep an ID token for as long as they have somebody signed in, and show it as `id_token_hint`
 * long after its key has left the JWKS. So hints, and nothing else, are verified by all keys of the
 * last years, whatever algorithm the client has now.
 */
export function verifyHintsBy(provider: Provider, keys: readonly HintKey[]): void {
  const { IdToken } = provider as unknown as {
    IdToken: { validate(jwt: string, client: Client): Promise<unknown> }
  }
  IdToken.validate = async (jwt, { clientId }) => {
    const header = decodeProtectedHeader(jwt)
    const key = keys.find(({ kid, alg }) => kid === header.kid && alg === header.alg)
    if (!key || !verifiesHints(key, new Date())) throw new Error('no key of ours has signed this')
    if (header.typ !== undefined && header.typ !== 'JWT') throw new Error('not an ID token')
    const { payload } = await compactVerify(jwt, await importJWK(key.publicJwk as JWK, key.alg), {
      algorithms: [key.alg],
    })
    const claims = JSON.parse(new TextDecoder().decode(payload)) as Claims
    assertIdToken(claims, provider.issuer, clientId)
    assertSignedIn(key, claims.iat as number)
    return { header, payload: claims }
  }
}

/** Expired is no matter (OIDC RP-Initiated Logout 2); logout tokens have the same audience. */
function assertIdToken(
  { iss, sub, aud, iat, exp, events, client_id: clientOfAccessToken }: Claims,
  issuer: string,
  clientId: string,
): void {
  const isForClient = Array.isArray(aud) ? aud.includes(clientId) : aud === clientId
  if (iss !== issuer || !isForClient) throw new Error('not issued by us for this client')
  if (
    typeof sub !== 'string' ||
    typeof iat !== 'number' ||
    typeof exp !== 'number' ||
    events !== undefined ||
    clientOfAccessToken !== undefined
  )
    throw new Error('not an ID token')
}

/** What a key signed outside of its time, somebody else has signed. */
function assertSignedIn({ activeAt, retiredAt }: HintKey, issuedAt: number): void {
  const begins = activeAt.getTime() / 1000 - TOLERANCE
  const ends = (retiredAt?.getTime() ?? Date.now()) / 1000 + TOLERANCE
  if (issuedAt < begins || issuedAt > ends) throw new Error('not issued while its key signed')
}

/**
 * Whether the hint of a sign-out, which has been verified, is about the session of this browser: an
 * operator's own app, whose person has asked there already, is not asked about again. Without `sid`
 * it is one from before every ID token had it.
 */
export function isOwnSignOut({ oidc }: KoaContextWithOIDC): boolean {
  const { client, session, entities } = oidc as typeof oidc & {
    readonly session?: {
      readonly loginTs?: number
      readonly authorizations?: Readonly<Record<string, { readonly sid?: string }>>
    }
    readonly entities: { readonly IdTokenHint?: { readonly payload: Claims } }
  }
  const hint = entities.IdTokenHint?.payload
  if (
    !hint ||
    !client ||
    settingsOf(client).first_party !== true ||
    !session?.accountId ||
    session.accountId !== hint.sub
  )
    return false
  const authorization = session.authorizations?.[client.clientId]
  if (hint.sid !== undefined) return hint.sid === authorization?.sid
  return (
    authorization !== undefined &&
    typeof hint.iat === 'number' &&
    hint.iat >= (session.loginTs ?? Number.POSITIVE_INFINITY)
  )
}
