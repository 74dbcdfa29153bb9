import type { AuditSink } from '../../audit/event.ts'
import { narrower, type RegistrationMode } from '../../config/registration-modes.ts'
import type { EntityManager } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { CanonicalEmail } from '../canonical-email.ts'

/** What the operator has set. */
export interface RegistrationRules {
  readonly mode: RegistrationMode
  readonly domains: readonly string[]
  readonly showsDomains: boolean
}

export interface RegistrationDeps {
  readonly audit: AuditSink
  readonly rules: RegistrationRules
  readonly apps: AppsThatAdmit
}

/** What is set for one app: it may admit fewer than the server, never more. */
export interface AppsThatAdmit {
  registrationMode(clientId: string): Promise<RegistrationMode | undefined>
}

/** Who wants an account, and through which app. */
export interface Candidate {
  readonly email: CanonicalEmail
  readonly clientId?: string | undefined
}

/** What a page says before anybody types. */
export interface RegistrationOffer {
  readonly mode: RegistrationMode
  /** Only if the operator wants them shown. */
  readonly domains?: readonly string[] | undefined
}

/** That an address may have an account, in this transaction. Nothing but `Registration` makes one. */
class Admission {
  readonly #tx: EntityManager
  readonly #email: string
  /** The operator or somebody invited asked for exactly this account. */
  readonly isInvited: boolean

  constructor(tx: EntityManager, email: string, isInvited: boolean) {
    this.#tx = tx
    this.#email = email
    this.isInvited = isInvited
  }

  /** A fault of the caller, who was admitted with another address, or before the transaction only. */
  check(tx: EntityManager, email: string): void {
    if (tx !== this.#tx || email !== this.#email)
      throw new Error('the account was not admitted in this transaction')
  }
}

export type { Admission }

/**
 * Who may register. Every door asks twice: before it looks at any account, so that a refusal says
 * nothing of them, and in the transaction that makes one, which needs the `Admission`.
 */
export class Registration {
  readonly #deps: RegistrationDeps

  constructor(deps: RegistrationDeps) {
    this.#deps = deps
  }

  /** Throws `registration_closed`, which is the same for every reason. */
  async admit(candidate: Candidate): Promise<void> {
    await this.#judge(candidate)
  }

  /** The same in the transaction that makes the account. */
  async admitTo(tx: EntityManager, candidate: Candidate): Promise<Admission> {
    await this.#judge(candidate)
    return new Admission(tx, candidate.email, false)
  }

  /** Whom the operator makes an account for is not asked. */
  byOperator(tx: EntityManager, email: string): Admission {
    return new Admission(tx, email, true)
  }

  offer(ofClient: RegistrationMode | undefined): RegistrationOffer {
    const { mode, domains, showsDomains } = this.#deps.rules
    return {
      mode: narrower(mode, ofClient),
      ...(showsDomains && domains.length > 0 ? { domains } : {}),
    }
  }

  /**
   * Whether an account may change its address to this one: otherwise the rule of domains would end
   * with the sign-up. Who was invited was never held to it.
   */
  allowsChange(account: { readonly isInvited: boolean }, email: CanonicalEmail): boolean {
    return this.#deps.rules.mode !== 'domains' || account.isInvited || this.#isOfDomain(email)
  }

  async #judge({ email, clientId }: Candidate): Promise<void> {
    const ofClient =
      clientId === undefined ? undefined : await this.#deps.apps.registrationMode(clientId)
    const mode = narrower(this.#deps.rules.mode, ofClient)
    if (mode === 'open' || (mode === 'domains' && this.#isOfDomain(email))) return
    this.#deps.audit.record({
      type: 'registration_refused',
      outcome: 'failure',
      address: email,
      clientId,
      detail: { reason: mode },
    })
    throw new AppError('registration_closed')
  }

  #isOfDomain(email: CanonicalEmail): boolean {
    return this.#deps.rules.domains.includes(email.slice(email.lastIndexOf('@') + 1))
  }
}
