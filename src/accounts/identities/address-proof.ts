import type { RequestOrigin } from '../../audit/request-origin.ts'
import type { EntityManager } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { Messages } from '../../mail/messages.ts'
import { findAddressee } from '../addressee.ts'
import type { CanonicalEmail } from '../canonical-email.ts'
import type { OneTimeTokens } from '../one-time-tokens.ts'
import type { Candidate } from '../registration/candidates.ts'
import type { Registration } from '../registration/registration.ts'

export interface AddressProofDeps {
  readonly em: EntityManager
  readonly tokens: OneTimeTokens
  readonly messages: Messages
  readonly registration: Registration
}

export interface AskedAddress extends Candidate {
  readonly arrivalId: string
  readonly locale?: string | undefined
  /** Whether a new account may come by this provider at all. */
  readonly mayJoin: boolean
  /** A program seems to have filled in the form. */
  readonly isSuspected?: boolean | undefined
  /** The page that waits, if it has asked before. */
  readonly page?: string | undefined
}

const PURPOSE = 'prove_address'

/**
 * Proves the address of somebody whose provider does not. Anybody's provider may name anybody's
 * address: page, mail and work are the same whether or not it has an account (EN-01, EN-02).
 */
export class AddressProof {
  readonly #deps: AddressProofDeps

  constructor(deps: AddressProofDeps) {
    this.#deps = deps
  }

  /** The page that waits for the code. Nothing is mailed to those who could not register. */
  async ask(
    { arrivalId, locale, mayJoin, isSuspected, page, ...candidate }: AskedAddress,
    origin: RequestOrigin,
  ): Promise<{ tokenId: string }> {
    const { em, tokens, messages, registration } = this.#deps
    const { email } = candidate
    const isAdmitted = await registration.admit(candidate).then(
      () => true,
      (error: unknown) => {
        if (error instanceof AppError) return false
        throw error
      },
    )
    return em.fork().transactional(async (tx) => {
      const existing = await findAddressee(tx, email)
      const isDecoy = !existing && !(mayJoin && isAdmitted)
      const issue = { purpose: PURPOSE, subjectId: arrivalId, address: email, page } as const
      const issued = await messages.codeAlone(tx, 'prove-address', {
        to: email,
        locale,
        origin,
        isDecoy,
        isSuspected,
        issued: () => tokens.issue(tx, issue),
      })
      return issued ?? (await tokens.openPage(tx, issue))
    })
  }

  /** Throws `invalid_code`. */
  async prove(
    { arrivalId, email, tokenId }: { arrivalId: string; email: CanonicalEmail; tokenId: string },
    code: string,
  ): Promise<void> {
    const { em, tokens } = this.#deps
    const right = await tokens.judge({
      tokenId,
      purpose: PURPOSE,
      code,
      address: email,
      subjectId: arrivalId,
    })
    await em.fork().transactional((tx) => tokens.spend(tx, right))
  }
}
