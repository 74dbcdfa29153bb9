import type { Account } from 'oidc-provider'
import type { ActiveAccount } from '../accounts/accounts.ts'
import { takesTwoFactors } from '../accounts/factors/levels.ts'
import { forUse } from './claims/group-claims.ts'
import { accountClaims } from './claims/registry.ts'

/** The account, in that session if one is named. */
export type FindAccount = (sub: string, sessionId?: string) => Promise<Account | undefined>

/**
 * What the protocol needs from below: an account that may act, in that session if one is named, or
 * nothing (SE-06, SE-07).
 */
export interface ActiveAccounts {
  findActive(id: string, sessionId?: string): Promise<ActiveAccount | undefined>
}

export function createFindAccount(accounts: ActiveAccounts): FindAccount {
  return async (sub, sessionId) => {
    const account = await accounts.findActive(sub, sessionId)
    if (!account) return undefined
    return {
      accountId: account.id,
      takesTwoFactors: takesTwoFactors(account),
      claims: async (use) => ({ ...accountClaims(account), ...forUse(use) }),
    }
  }
}
