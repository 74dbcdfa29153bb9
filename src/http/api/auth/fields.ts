import { z } from 'zod'
import { MAX_EMAIL, PLAIN_EMAIL_PATTERN } from '../../../accounts/canonical-email.ts'
import { MIN_PASSWORD } from '../../../accounts/passwords/password-policy.ts'
import { MAX_NAME, NAME_PATTERN } from '../../../accounts/person-name.ts'
import { PHONE_PATTERN, PLAIN_IMAGE_PATTERN } from '../../../accounts/profile-checks.ts'
import { MAX_PASSWORD } from '../../../crypto/normalize-password.ts'

/** Bodies and answers by their names in the document. */
export const SCHEMAS = z.registry<{ id: string }>()

/** A closed object with a name in the document. */
export const named = <Shape extends z.ZodRawShape>(id: string, shape: Shape) =>
  z.strictObject(shape).register(SCHEMAS, { id })

const text = (max: number) => z.string().min(1).max(max)

/**
 * Fields of the bodies. Lengths bound what is parsed, hashed and stored; what an address, a name or
 * a good password is, the use cases decide. A code is six digits or a recovery code, spaces and
 * dashes allowed. What `meta` adds is published and not judged here: a caller that keeps to it is not
 * refused for the form of what they send, though some that the use cases take lies outside of it.
 */
export const email = text(1024).meta({
  maxLength: MAX_EMAIL,
  pattern: PLAIN_EMAIL_PATTERN,
  description: 'An e-mail address. International domains are taken too, in Unicode or as A-labels.',
})
export const newPassword = text(1024).meta({
  minLength: MIN_PASSWORD.alone,
  maxLength: MAX_PASSWORD.codePoints,
  description: `Lengths are counted in code points after NFC. Beside two-step sign-in ${MIN_PASSWORD.withMfa} are enough. Spaces count, and every Unicode character may be used.`,
})
export const name = text(400).meta({
  maxLength: MAX_NAME,
  pattern: NAME_PATTERN,
  description: 'One line without markup and URLs, counted in code points after NFC.',
})
export const imageUrl = text(2048)
  .meta({ pattern: PLAIN_IMAGE_PATTERN })
  .nullable()
  .optional()
  .describe('An https URL; null removes it.')
export const phoneNumber = text(64)
  .meta({ pattern: PHONE_PATTERN })
  .nullable()
  .optional()
  .describe('E.164, such as +4930123456; null removes it.')
export const password = text(1024).describe(
  'Spaces count, and every Unicode character may be used.',
)
/** Of a call that takes a fresh proof or, without two-step sign-in, the password. */
export const confirmation = password
  .optional()
  .describe(
    'The current password: without two-step sign-in, a proof as good as a fresh one made at `/verification`.',
  )
export const code = text(64).describe(
  'Six digits from the mail or the authenticator app, or a recovery code.',
)
export const token = text(128).describe('The token that the first call returned.')
export const uuid = z
  .string()
  .min(36)
  .max(36)
  .describe('The identifier that the first call returned.')

export const Empty = named('EmptyBody', {})
export const Confirmed = named('ConfirmedBody', { password: confirmation })
