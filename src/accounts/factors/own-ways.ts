import type { EntityManager } from '../../database/database.ts'
import type { SignInPolicy } from './sign-in-policy.ts'
import { takesMailedCode } from './ways.ts'

/** `none`: offered, and the account has none. `unused`: it has one, which is not offered. */
export type Use = 'used' | 'unused' | 'none'

/** The ways to sign in that a person has here; absent: not offered, and the account has none. */
export interface OwnWays {
  readonly password?: Use | undefined
  /** Whether a code to the address is enough to begin with. */
  readonly mailedCode?: boolean | undefined
  readonly passkeys?: Use | undefined
  readonly totp?: Use | undefined
}

const FACTS = `
select "password_hash" is not null as "hasPassword", "mfa_enabled" as "hasTotp",
  exists (select from "passkey" where "account_id" = "account"."id") as "hasPasskeys"
from "account" where "id" = ?`

interface Facts {
  readonly hasPassword: boolean
  readonly hasTotp: boolean
  readonly hasPasskeys: boolean
}

/** What an account signs in with, as its owner is told. */
export class OwnWaysIn {
  readonly #em: EntityManager
  readonly #policy: Pick<SignInPolicy, 'offers' | 'offersPasskeys'>

  constructor({
    em,
    policy,
  }: { em: EntityManager; policy: Pick<SignInPolicy, 'offers' | 'offersPasskeys'> }) {
    this.#em = em
    this.#policy = policy
  }

  async of(accountId: string): Promise<OwnWays> {
    const policy = this.#policy
    const em = this.#em.fork()
    const [facts] = await em.execute<Facts[]>(FACTS, [accountId])
    return {
      password: useOf(facts?.hasPassword, policy.offers('password')),
      mailedCode: policy.offers('email-code') ? await takesMailedCode(em, accountId) : undefined,
      passkeys: useOf(facts?.hasPasskeys, policy.offersPasskeys),
      totp: useOf(facts?.hasTotp, policy.offers('totp')),
    }
  }
}

function useOf(isThere: boolean | undefined, isOffered: boolean): Use | undefined {
  if (isThere) return isOffered ? 'used' : 'unused'
  return isOffered ? 'none' : undefined
}
