import type { OpenIdKind } from '../kind.ts'
import { standardClaims } from './standard-claims.ts'

const LOGIN = 'https://login.microsoftonline.com'

/**
 * Accounts of a Microsoft Entra tenant. `email` is what an administrator has typed, in whatever tenant:
 * it counts only with `xms_edov`, by which Entra says that the domain is the tenant's own.
 */
export const microsoft: OpenIdKind = {
  kind: 'microsoft',
  speaks: 'openid',
  title: 'Microsoft',
  issuer: ({ tenants = [] }) => `${LOGIN}/${(tenants.length === 1 && tenants[0]) || 'common'}/v2.0`,
  takesIssuer: false,
  scopes: ['openid', 'email', 'profile'],
  parameters: (_settings, { again }) => (again ? { prompt: 'select_account' } : {}),
  accepts: ({ tid }, { tenants = [] }) => tenants.length === 0 || tenants.includes(String(tid)),
  read(claims, { tenants = [] }) {
    const owned = claims['xms_edov']
    const isOwned = owned === true || owned === 1 || owned === '1'
    const isNamed = tenants.includes(String(claims['tid']))
    return { ...standardClaims(claims), emailProven: isOwned && isNamed }
  },
}
