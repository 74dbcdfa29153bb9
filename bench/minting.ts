import type { Provider } from 'oidc-provider'
import type { Minted } from './target.ts'

export const REDIRECT_URI = 'https://client.example/callback'
export const SCOPE = 'openid email offline_access'
/** RFC 7636 appendix B. */
export const PKCE = {
  verifier: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
} as const

/** A grant of the account to the client, and what is wanted of it, by the provider's own models. */
export async function mintFor(
  provider: Provider,
  { accountId, clientId }: { accountId: string; clientId: string },
  what: Minted,
): Promise<string> {
  const client = await provider.Client.find(clientId)
  if (!client) throw new Error(`no client ${clientId}`)
  const grant = new provider.Grant({ accountId, clientId })
  grant.addOIDCScope(SCOPE)
  const grantId = await grant.save()
  const authTime = Math.floor(Date.now() / 1000)
  const common = { accountId, client, grantId, scope: SCOPE, gty: 'authorization_code', authTime, amr: ['pwd'] }
  if (what === 'access') return new provider.AccessToken(common).save()
  if (what === 'refresh') return new provider.RefreshToken({ ...common, rotations: 0 }).save()
  const challenge = { codeChallenge: PKCE.challenge, codeChallengeMethod: 'S256', redirectUri: REDIRECT_URI }
  return new provider.AuthorizationCode({ ...common, ...challenge }).save()
}
