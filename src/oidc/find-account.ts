import type { Account } from 'oidc-provider'
import type { ActiveAccount } from '../accounts/accounts.ts'
import { accountClaims } from './claims.ts'

export type FindAccount = (sub: string) => Promise<Account | undefined>

/** What the protocol needs from below: an account that may act, or nothing (SE-07). */
export interface ActiveAccounts {
  findActive(id: string): Promise<ActiveAccount | undefined>
}

export function createFindAccount(accounts: ActiveAccounts): FindAccount {
  return async (sub) => {
    const account = await accounts.findActive(sub)
    if (!account) return undefined
    return { accountId: account.id, hasSecondFactor: account.mfaEnabled, claims: async () => accountClaims(account) }
  }
}
