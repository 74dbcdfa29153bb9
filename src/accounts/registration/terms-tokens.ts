import { LIFETIMES } from '../../config/limits.ts'
import type { Ceremony, StatelessChallenges } from '../../crypto/challenge.ts'
import { sha256 } from '../../crypto/token.ts'
import { AppError } from '../../errors.ts'
import { type CanonicalEmail, canonicalEmail } from '../canonical-email.ts'
import type { Acceptances } from './acceptances.ts'

export interface TermsTokensDeps {
  readonly acceptances: Acceptances
  readonly challenges: StatelessChallenges
}

type Purpose = Extract<Ceremony, `terms.${string}`>

/**
 * A subject and a challenge, of which nothing is stored. `a<id>`: an account whose password was right;
 * `s<digest>`: who signs up with an address.
 */
const FORM = /^([as][\w-]{36,43})\.([\w-]{48})$/

/**
 * Terms at an API, where no page can show them: a refusal brings a token, which accepts the version
 * that the refusal named.
 */
export class TermsTokens {
  readonly #deps: TermsTokensDeps

  constructor(deps: TermsTokensDeps) {
    this.#deps = deps
  }

  /** Of somebody who has shown the first factor, or all of them. Throws `terms_required`. */
  async requireOf(accountId: string): Promise<void> {
    if (await this.#deps.acceptances.lacks(accountId)) throw this.#refusal(`a${accountId}`)
  }

  /** A sign-up that lacks nothing but the terms is refused with a token for them. */
  async offering<T>(submitted: string, signUp: () => Promise<T>): Promise<T> {
    try {
      return await signUp()
    } catch (error) {
      const email = canonicalEmail(submitted)
      if (!email || !(error instanceof AppError) || error.code !== 'terms_required') throw error
      throw this.#refusal(subjectOf(email))
    }
  }

  /** By the account, or before a sign-up, for which there is another token then. */
  accepted(token: string, version: string): { accountId: string } | { termsToken: string } {
    const subject = this.#judge(token, 'terms.ask')
    if (version !== this.#deps.acceptances.terms?.version) throw this.#refusal(subject)
    return subject.startsWith('a')
      ? { accountId: subject.slice(1) }
      : { termsToken: this.#make(subject, 'terms.accepted') }
  }

  /** The version that was accepted before a sign-up with this address. Throws `challenge_expired`. */
  versionFor(termsToken: string, submitted: string): string | undefined {
    const email = canonicalEmail(submitted)
    const subject = this.#judge(termsToken, 'terms.accepted')
    if (!email || subject !== subjectOf(email)) throw new AppError('challenge_expired')
    return this.#deps.acceptances.terms?.version
  }

  #refusal(subject: string): AppError {
    const { acceptances } = this.#deps
    const token = this.#make(subject, 'terms.ask')
    return new AppError('terms_required', {
      extra: { ...acceptances.terms, token, expires_in: LIFETIMES.termsToken },
    })
  }

  #make(subject: string, purpose: Purpose): string {
    const binding = this.#binding(subject)
    const made = this.#deps.challenges.make(purpose, binding, LIFETIMES.termsToken)
    return `${subject}.${made}`
  }

  #judge(token: string, purpose: Purpose): string {
    const [, subject = '', challenge = ''] = FORM.exec(token) ?? []
    if (!this.#deps.challenges.judge(challenge, purpose, this.#binding(subject)))
      throw new AppError('challenge_expired')
    return subject
  }

  #binding(subject: string): string {
    return `${this.#deps.acceptances.terms?.version ?? ''} ${subject}`
  }
}

function subjectOf(email: CanonicalEmail): string {
  return `s${sha256(email).toString('base64url')}`
}
