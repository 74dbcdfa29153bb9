import type { ActiveAccount } from '../../accounts/accounts.ts'

/** Claims by scope (OIDC Core 5.4). */
export const CLAIMS_BY_SCOPE = {
  openid: ['sub', 'auth_time', 'acr', 'amr'],
  profile: ['name', 'picture', 'locale', 'updated_at'],
  email: ['email', 'email_verified'],
  phone: ['phone_number', 'phone_number_verified'],
  address: ['address'],
}

export const SCOPES = [...Object.keys(CLAIMS_BY_SCOPE), 'offline_access']

/**
 * The account as standard claims (OIDC Core 5.1); absent facts are absent claims. The provider
 * filters by scope.
 */
export function accountClaims(account: ActiveAccount): { sub: string; [claim: string]: unknown } {
  return {
    sub: account.id,
    name: account.name,
    ...(account.imageUrl ? { picture: account.imageUrl } : {}),
    ...(account.locale ? { locale: account.locale } : {}),
    updated_at: Math.floor(account.updatedAt.getTime() / 1000),
    email: account.email,
    email_verified: account.emailVerifiedAt != null,
    ...(account.phoneNumber
      ? { phone_number: account.phoneNumber, phone_number_verified: false }
      : {}),
    ...(account.address ? { address: account.address } : {}),
  }
}
