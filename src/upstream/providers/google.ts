import type { OpenIdKind } from '../kind.ts'
import { standardClaims } from './standard-claims.ts'

/**
 * Google proves the addresses that it gives out itself: Gmail, and those of a Workspace. Another
 * address of a Google account was proven once and may be somebody else's by now.
 */
export const google: OpenIdKind = {
  kind: 'google',
  speaks: 'openid',
  title: 'Google',
  issuer: () => 'https://accounts.google.com',
  // Of old; the one of the metadata is what is kept.
  alsoIssuer: (issuer) => issuer.replace('https://', ''),
  takesIssuer: false,
  scopes: ['openid', 'email', 'profile'],
  parameters: ({ hostedDomain }, { again }) => ({
    ...(hostedDomain ? { hd: hostedDomain } : {}),
    ...(again ? { prompt: 'select_account' } : {}),
  }),
  // The parameter is a hint that the person can take out; the claim decides.
  accepts: (claims, { hostedDomain }) => !hostedDomain || claims['hd'] === hostedDomain,
  read(claims) {
    const told = standardClaims(claims)
    const domain = told.email?.toLowerCase().split('@').at(-1)
    const isOwn = domain !== undefined && (domain === 'gmail.com' || domain === claims['hd'])
    return { ...told, emailProven: claims['email_verified'] === true && isOwn }
  },
}
