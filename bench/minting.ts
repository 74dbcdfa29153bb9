import type { Provider } from 'oidc-provider'
import type { Minted } from './target.ts'

export const REDIRECT_URI = 'https://client.example/callback'
export const RESOURCE = 'https://api.example/'
export const SCOPE = 'openid email offline_access'
/** RFC 7636 appendix B. */
export const PKCE = {
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
} as const

export interface Owner {
  readonly accountId: string
  readonly clientId: string
}

/**
 * A grant of the account to the client, and what is wanted of it, by the provider's own models.
 * Codes and refresh tokens are for an API, so that their exchange signs twice: a JWT for the API
 * and the ID token. Access tokens are opaque, for userinfo.
 */
export async function mintFor(
  provider: Provider,
  { accountId, clientId }: Owner,
  what: Minted,
): Promise<string> {
  const client = await provider.Client.find(clientId)
  if (!client) throw new Error(`no client ${clientId}`)
  const grant = new provider.Grant({ accountId, clientId })
  grant.addOIDCScope(SCOPE)
  grant.addResourceScope(RESOURCE, 'read')
  const grantId = await grant.save()
  const authTime = Math.floor(Date.now() / 1000)
  const common = { accountId, client, grantId, gty: 'authorization_code', authTime, amr: ['pwd'] }
  if (what === 'access') return new provider.AccessToken({ ...common, scope: SCOPE }).save()
  const forApi = { ...common, scope: `${SCOPE} read`, resource: RESOURCE }
  if (what === 'refresh') return new provider.RefreshToken({ ...forApi, rotations: 0 }).save()
  if (what === 'session') {
    const session = Object.assign(new provider.Session(), {
      accountId,
      loginTs: authTime,
      amr: ['pwd'],
      exp: authTime + 3600,
    })
    session.grantIdFor(clientId, grantId)
    await session.persist()
    return new provider.RefreshToken({ ...forApi, rotations: 0, sessionUid: session.uid }).save()
  }
  const challenge = {
    codeChallenge: PKCE.challenge,
    codeChallengeMethod: 'S256',
    redirectUri: REDIRECT_URI,
  }
  return new provider.AuthorizationCode({ ...forApi, ...challenge }).save()
}
