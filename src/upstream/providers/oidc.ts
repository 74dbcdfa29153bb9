import type { OpenIdKind } from '../kind.ts'
import { standardClaims } from './standard-claims.ts'

/** Anybody's OpenID provider. */
export const oidc: OpenIdKind = {
  kind: 'oidc',
  speaks: 'openid',
  title: 'OpenID Connect',
  takesIssuer: true,
  tellsWhen: true,
  scopes: ['openid', 'email', 'profile'],
  parameters: (_settings, { again }) => (again ? { prompt: 'select_account' } : {}),
  read: (claims) => ({ ...standardClaims(claims), emailProven: claims['email_verified'] === true }),
}
