import { LockMode } from '@mikro-orm/core'
import { LIFETIMES } from '../../config/limits.ts'
import type { EntityManager } from '../../database/database.ts'
import { Account } from '../../entities/index.ts'
import { AppError } from '../../errors.ts'
import type { OneTimeTokens, Proof } from '../one-time-tokens.ts'

/** What a browser has shown so far: the mailbox, or all that it takes to go on. */
export type Allows = 'recover_proven' | 'recover_grant'

export interface Pass {
  readonly allows: Allows
  /** For the cookie of the browser that has shown it, and for no other place. */
  readonly secret: string
}

const LIFETIME: Readonly<Record<Allows, number>> = {
  recover_proven: LIFETIMES.code,
  recover_grant: LIFETIMES.recoveryGrant,
}

/**
 * Where a browser is in a recovery. A pass ends with the credentials of its account, and with the
 * next one for the same.
 */
export class RecoveryPasses {
  readonly #em: EntityManager
  readonly #tokens: OneTimeTokens

  constructor({ em, tokens }: { em: EntityManager; tokens: OneTimeTokens }) {
    this.#em = em
    this.#tokens = tokens
  }

  async issue(tx: EntityManager, account: Account, allows: Allows): Promise<Pass> {
    const { linkSecret: secret } = await this.#tokens.issue(tx, {
      purpose: allows,
      subjectId: account.id,
      address: account.email,
      credentialVersion: account.credentialVersion,
      lifetimeSeconds: LIFETIME[allows],
    })
    return { allows, secret }
  }

  /** Throws `invalid_link`. */
  async look(secret: string, allows: Allows): Promise<Account> {
    const proof = await this.#tokens.peekLink({ secret, purpose: allows })
    return ofProof(this.#em.fork(), proof)
  }

  /** The account, locked: every change of credentials locks it first. Throws `invalid_link`. */
  async spend(tx: EntityManager, secret: string, allows: Allows): Promise<Account> {
    const link = { secret, purpose: allows } as const
    const account = await ofProof(tx, await this.#tokens.peekLink(link), true)
    await this.#tokens.redeemLink(tx, link)
    return account
  }
}

async function ofProof(
  em: EntityManager,
  { subjectId: id, address: email, credentialVersion }: Proof,
  isLocked = false,
): Promise<Account> {
  const account = await em.findOne(
    Account,
    { id, email, credentialVersion, status: 'active' },
    isLocked ? { lockMode: LockMode.PESSIMISTIC_WRITE } : {},
  )
  if (!account) throw new AppError('invalid_link')
  return account
}
