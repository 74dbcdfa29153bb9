import type { AuditSink } from '../../audit/event.ts'
import { narrower, type RegistrationMode } from '../../config/registration-modes.ts'
import type { EntityManager } from '../../database/database.ts'
import { AppError } from '../../errors.ts'
import type { Providers } from '../../upstream/providers.ts'
import type { CanonicalEmail } from '../canonical-email.ts'
import type { Acceptances, AcceptedTerms } from './acceptances.ts'
import type { Candidate, ProvenCandidate, RegistrationOffer } from './candidates.ts'
import type { Invitations } from './invitations.ts'

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
  readonly invitations: Pick<Invitations, 'find' | 'spend'>
  readonly providers: Pick<Providers, 'enforcing'>
  readonly acceptances: Pick<Acceptances, 'add'>
}

/** What is set for one app: it may admit fewer than the server, never more. */
export interface AppsThatAdmit {
  registrationMode(clientId: string): Promise<RegistrationMode | undefined>
}

interface AdmittedBy {
  readonly isInvited: boolean
  readonly invitation?: string | undefined
  readonly terms?: AcceptedTerms | null
}

/** That an address may have an account, in this transaction. Nothing but `Registration` makes one. */
class Admission {
  readonly #tx: EntityManager
  readonly #email: string
  /** The operator or somebody invited asked for exactly this account. */
  readonly isInvited: boolean
  /** The one of which a use was spent. */
  readonly invitation: string | undefined
  readonly terms: AcceptedTerms | null

  constructor(
    tx: EntityManager,
    email: string,
    { isInvited, invitation, terms = null }: AdmittedBy,
  ) {
    this.#tx = tx
    this.#email = email
    this.isInvited = isInvited
    this.invitation = invitation
    this.terms = terms
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

  /**
   * Throws `registration_closed`, which is the same for every reason, or `method_not_offered` to who
   * did not come by the provider that has all people of their domain. Who shows an invitation is told
   * what is wrong with it.
   */
  async admit(candidate: Candidate): Promise<void> {
    await this.#refuseElsewhere(candidate)
    const { email, invitation: id } = candidate
    const found = id === undefined ? undefined : await this.#deps.invitations.find({ id })
    const isInvited = found !== undefined && (found.email ?? email) === email
    await this.#judge(candidate, isInvited, found !== undefined)
  }

  /** The same in the transaction that makes the account. */
  async admitTo(tx: EntityManager, candidate: ProvenCandidate): Promise<Admission> {
    const { email, invitation, terms } = candidate
    await this.#refuseElsewhere(candidate, tx)
    const isSpent =
      invitation !== undefined && (await this.#deps.invitations.spend(tx, invitation, email))
    await this.#judge(candidate, isSpent)
    return new Admission(tx, email, {
      isInvited: isSpent,
      invitation: isSpent ? invitation : undefined,
      terms,
    })
  }

  /** What the account was made with: the terms that were accepted, and the invitation. */
  async noteAccepted(
    tx: EntityManager,
    { invitation, terms }: Admission,
    accountId: string,
  ): Promise<void> {
    if (terms) await this.#deps.acceptances.add(tx, accountId, terms)
    if (invitation === undefined) return
    const detail = { invitation }
    await this.#deps.audit.append(tx, { type: 'invitation_accepted', accountId, detail })
  }

  /** Whom the operator makes an account for is not asked. */
  byOperator(tx: EntityManager, email: string): Admission {
    return new Admission(tx, email, { isInvited: true })
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

  /** Whether the form would take them: for a mail that offers it. */
  async isOpenTo(candidate: Candidate): Promise<boolean> {
    const mode = await this.#modeFor(candidate)
    return mode === 'open' || (mode === 'domains' && this.#isOfDomain(candidate.email))
  }

  async #modeFor({ clientId }: Candidate): Promise<RegistrationMode> {
    const ofClient =
      clientId === undefined ? undefined : await this.#deps.apps.registrationMode(clientId)
    return narrower(this.#deps.rules.mode, ofClient)
  }

  async #judge(candidate: Candidate, isInvited: boolean, isOfAnother = false): Promise<void> {
    if (await this.isOpenTo(candidate)) return
    const { invitation } = candidate
    const mode = await this.#modeFor(candidate)
    if (isInvited && mode !== 'closed') return
    this.#note(candidate, mode)
    if (invitation === undefined || mode === 'closed') throw new AppError('registration_closed')
    if (!isOfAnother) throw new AppError('invalid_invitation')
    throw new AppError('invalid_input', { fields: { email: 'not_invited' } })
  }

  /** The domain alone decides, so an answer about it says nothing of any account. */
  async #refuseElsewhere(candidate: Candidate, tx?: EntityManager): Promise<void> {
    const { email, providerId } = candidate
    const enforcing = await this.#deps.providers.enforcing(email, tx)
    if (!enforcing || enforcing.id === providerId) return
    this.#note(candidate, 'elsewhere')
    throw new AppError(providerId === undefined ? 'method_not_offered' : 'registration_closed')
  }

  #note({ email, clientId }: Candidate, reason: RegistrationMode | 'elsewhere'): void {
    this.#deps.audit.record({
      type: 'registration_refused',
      outcome: 'failure',
      address: email,
      clientId,
      detail: { reason },
    })
  }

  #isOfDomain(email: CanonicalEmail): boolean {
    return this.#deps.rules.domains.includes(email.slice(email.lastIndexOf('@') + 1))
  }
}
