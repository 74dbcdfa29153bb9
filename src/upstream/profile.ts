import { canonicalEmail } from '../accounts/canonical-email.ts'
import { personName } from '../accounts/person-name.ts'
import { isPublicHttps } from '../public-url.ts'
import type { Told } from './kind.ts'
import type { ProviderSettings } from './provider-settings.ts'
import { UpstreamRefusal } from './refusal.ts'

const MAX_SUBJECT = 255

/** Who came by a provider: (provider, issuer, subject) is the only key (UP-01). */
export interface UpstreamProfile extends Told {
  /** The one that signed it. */
  readonly issuer: string
  /** How the person signed in over there, as far as the operator trusts the provider to say. */
  readonly amr: readonly string[]
  /** The provider's name for the sign-in, which its logout tokens use. */
  readonly sid?: string | undefined
}

/** What is fit to be stored and shown; what is not is as if it had not been said. Throws without a subject. */
export function profileOf(
  issuer: string,
  told: Told,
  { emailTrust, domains }: ProviderSettings,
): Omit<UpstreamProfile, 'amr'> {
  const { subject } = told
  // PostgreSQL takes no NUL; the identity of a person is nothing to guess about.
  if (subject.length > MAX_SUBJECT || !/^[\x20-\x7e]+$/.test(subject))
    throw new UpstreamRefusal('profile', new Error('Its subject is not usable'))
  const email = told.email === undefined ? undefined : canonicalEmail(told.email)
  const domain = email?.split('@').at(-1) ?? ''
  const isTrusted = emailTrust === 'claim' || (emailTrust === 'domains' && domains.includes(domain))
  const { picture } = told
  return {
    issuer,
    subject,
    email,
    emailProven: email !== undefined && told.emailProven && isTrusted,
    name: told.name === undefined ? undefined : personName(told.name),
    picture: picture !== undefined && isPublicHttps(picture) ? picture : undefined,
  }
}
