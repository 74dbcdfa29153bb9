import { z } from 'zod'
import { MAX_EMAIL, PLAIN_EMAIL_PATTERN } from '../../../accounts/canonical-email.ts'
import { MIN_PASSWORD } from '../../../accounts/passwords/password-policy.ts'
import { MAX_NAME, NAME_PATTERN } from '../../../accounts/person-name.ts'
import { PHONE_PATTERN, PLAIN_IMAGE_PATTERN } from '../../../accounts/profile.ts'
import { MAX_PASSWORD } from '../../../crypto/normalize-password.ts'

/**
 * Bodies of the calls. Lengths bound what is parsed, hashed and stored; what an address, a name or
 * a good password is, the use cases decide. A code is six digits or a recovery code, spaces and
 * dashes allowed. What `meta` adds is published and not judged here: whoever keeps to it is not
 * refused for the form of what they send, though some that the use cases take lies outside of it.
 */
const email = z.string().min(1).max(1024).meta({
  maxLength: MAX_EMAIL,
  pattern: PLAIN_EMAIL_PATTERN,
  description: 'An e-mail address. International domains are taken too, in Unicode or as A-labels.',
})
const newPassword = z
  .string()
  .min(1)
  .max(1024)
  .meta({
    minLength: MIN_PASSWORD.alone,
    maxLength: MAX_PASSWORD.codePoints,
    description: `Lengths are counted in code points after NFC. Beside two-step sign-in ${MIN_PASSWORD.withMfa} are enough. Spaces count, and every Unicode character may be used.`,
  })
const name = z.string().min(1).max(400).meta({
  maxLength: MAX_NAME,
  pattern: NAME_PATTERN,
  description: 'One line without markup and URLs, counted in code points after NFC.',
})
const password = z
  .string()
  .min(1)
  .max(1024)
  .describe('Spaces count, and every Unicode character may be used.')
const code = z
  .string()
  .min(1)
  .max(64)
  .describe('Six digits from the mail or the authenticator app, or a recovery code.')
const uuid = z.string().min(36).max(36).describe('The identifier that the first call returned.')
const token = z.string().min(1).max(128).describe('The token that the first call returned.')
const confirmation = password
  .optional()
  .describe(
    'The current password: without two-step sign-in, a proof as good as a fresh one made at `/verification`.',
  )

/** A flow of two calls. The second is told by its `code`, or by what names the first. */
export interface TwoCalls<
  First extends z.ZodType = z.ZodType,
  Second extends z.ZodType = z.ZodType,
> {
  readonly first: First
  readonly second: Second
}

const PROOF = ['code', 'token', 'tokenId']

/**
 * A body with any part of a proof is judged as the second call only: half a proof never falls back
 * to the first (TF-07).
 */
export function isSecondCall({ second }: TwoCalls, body: unknown): boolean {
  const known = Object.keys((second as z.ZodObject).shape)
  return PROOF.some((name) => known.includes(name) && Object.hasOwn(body ?? {}, name))
}

const two = <First extends z.ZodType, Second extends z.ZodType>(
  first: First,
  second: Second,
): TwoCalls<First, Second> => ({
  first,
  second,
})

export const Empty = z.strictObject({})
export const SignUp = z.strictObject({ name, email, password: newPassword })
export const VerifyEmail = z.strictObject({ code, userId: uuid, tokenId: uuid, email })
export const Resend = z.strictObject({ email })
export const SignIn = two(
  z.strictObject({ email, password }),
  z.strictObject({ email: email.optional(), password: password.optional(), code, token }),
)
export const EnableMfa = two(
  z.strictObject({ password: confirmation }),
  z.strictObject({ token, code }),
)
export const DisableMfa = two(
  z.strictObject({ password: confirmation }),
  z.strictObject({ code, token }),
)
export const EditBasic = z.strictObject({
  name: name.optional(),
  image_url: z
    .string()
    .min(1)
    .max(2048)
    .meta({ pattern: PLAIN_IMAGE_PATTERN })
    .nullable()
    .optional()
    .describe('An https URL; null removes it.'),
  phone_number: z
    .string()
    .min(1)
    .max(64)
    .meta({ pattern: PHONE_PATTERN })
    .nullable()
    .optional()
    .describe('E.164, such as +4930123456; null removes it.'),
})
export const EditEmail = two(
  z.strictObject({ email, password: confirmation }),
  z.strictObject({ email, tokenId: uuid, code }),
)
export const EditPassword = two(
  z.strictObject({ current_password: password }),
  z.strictObject({
    email,
    password: newPassword,
    tokenId: token.describe('The identifier that the first call returned.'),
    code,
  }),
)
export const ForgotPassword = two(
  z.strictObject({ email }),
  z.strictObject({ email, password: newPassword, tokenId: uuid, code }),
)
export const Refresh = z.strictObject({ refresh_token: z.string().min(1).max(2048) })
export const Verification = two(
  z.strictObject({
    password: password
      .optional()
      .describe(
        'The current password, of an account without two-step sign-in. One that has none is mailed a code.',
      ),
  }),
  z.strictObject({
    code,
    tokenId: uuid
      .optional()
      .describe('The identifier that came with the mailed code, if it is one.'),
  }),
)
export const Confirmed = z.strictObject({ password: confirmation })
