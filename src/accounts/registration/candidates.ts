import type { RegistrationMode } from '../../config/registration-modes.ts'
import type { CanonicalEmail } from '../canonical-email.ts'
import type { AcceptedTerms } from './acceptances.ts'

/** Who wants an account, and through which app. */
export interface Candidate {
  readonly email: CanonicalEmail
  readonly clientId?: string | undefined
  /** The id of one that was shown. */
  readonly invitation?: string | undefined
  /** Whom they came by; otherwise they have a way in of their own. */
  readonly providerId?: string | undefined
}

/** Somebody whose account is made now. `null`: they are asked for the terms at their first sign-in. */
export interface ProvenCandidate extends Candidate {
  readonly terms: AcceptedTerms | null
}

/** What a page says before anybody types. */
export interface RegistrationOffer {
  readonly mode: RegistrationMode
  /** Only if the operator wants them shown. */
  readonly domains?: readonly string[] | undefined
}
