import type { ActiveAccount } from '../../accounts/accounts.ts'
import { STANDARD_ATTRIBUTES } from '../../accounts/attributes/standard.ts'
import { OIDC_SCOPES, type OidcScope } from '../../clients/scopes.ts'

/** A claim: the scope that releases it, and its value. `undefined` leaves it out. */
interface Claim {
  readonly name: string
  readonly scope: OidcScope
  readonly of: (account: ActiveAccount) => unknown
}

/** What is said of a person (OIDC Core 5.1), by the scopes of OIDC Core 5.4. A new claim is a row. */
const CLAIMS: readonly Claim[] = [
  { name: 'sub', scope: 'openid', of: ({ id }) => id },
  { name: 'name', scope: 'profile', of: ({ name }) => name },
  { name: 'preferred_username', scope: 'profile', of: ({ username }) => username },
  ...STANDARD_ATTRIBUTES.map(
    (name): Claim => ({
      name,
      scope: 'profile',
      of: ({ attributes }) => attributes?.[name],
    }),
  ),
  { name: 'picture', scope: 'profile', of: ({ imageUrl }) => imageUrl || undefined },
  { name: 'locale', scope: 'profile', of: ({ locale }) => locale || undefined },
  {
    name: 'updated_at',
    scope: 'profile',
    of: ({ updatedAt }) => Math.floor(updatedAt.getTime() / 1000),
  },
  { name: 'email', scope: 'email', of: ({ email }) => email },
  {
    name: 'email_verified',
    scope: 'email',
    of: ({ emailVerifiedAt }) => emailVerifiedAt != null,
  },
  { name: 'phone_number', scope: 'phone', of: ({ phoneNumber }) => phoneNumber || undefined },
  {
    name: 'phone_number_verified',
    scope: 'phone',
    of: ({ phoneNumber }) => (phoneNumber ? false : undefined),
  },
  { name: 'address', scope: 'address', of: ({ address }) => address ?? undefined },
]

/** Facts of a sign-in, which the provider knows. */
const OF_THE_SIGN_IN = ['auth_time', 'acr', 'amr', 'idp']
/** Read only where they are told: `group-claims.ts`. */
const OF_GROUPS = ['groups']

/** As the provider is told of them. Of scopes without claims it learns by `OIDC_SCOPES`. */
export const CLAIMS_BY_SCOPE: Readonly<Record<string, string[]>> = Object.fromEntries(
  OIDC_SCOPES.map((scope): [OidcScope, string[]] => [scope, namesOf(scope)]).filter(
    ([, names]) => names.length > 0,
  ),
)

/** All claims of an account. The provider releases those of the scopes that were granted. */
export function accountClaims(account: ActiveAccount): { sub: string; [claim: string]: unknown } {
  const claims = Object.fromEntries(
    CLAIMS.map(({ name, of }) => [name, of(account)]).filter(([, value]) => value !== undefined),
  )
  return { ...claims, sub: account.id }
}

function namesOf(scope: OidcScope): string[] {
  const ours = CLAIMS.filter((claim) => claim.scope === scope).map(({ name }) => name)
  if (scope === 'groups') return OF_GROUPS
  return scope === 'openid' ? [...ours, ...OF_THE_SIGN_IN] : ours
}
