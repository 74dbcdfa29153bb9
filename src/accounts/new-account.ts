import { AppError } from '../errors.ts'
import { type CanonicalEmail, canonicalEmail } from './canonical-email.ts'
import { checkPassword, type PasswordContext } from './passwords/password-policy.ts'
import { personName } from './person-name.ts'

export interface NewAccount {
  readonly name: string
  readonly email: string
  /** `null`: the person makes a passkey once the address is proven. */
  readonly password: string | null
  readonly locale?: string
  /** Name of the app that the person came from: the mail says it. */
  readonly app?: string
  /** That app, which may admit fewer people than the server. */
  readonly clientId?: string
  /** The id of the invitation that was shown. */
  readonly invitation?: string | undefined
  /** A program seems to have filled in the form. */
  readonly isSuspected?: boolean | undefined
  /** The version of the terms that was accepted. */
  readonly termsVersion?: string | undefined
}

export interface CheckedAccount {
  readonly email: CanonicalEmail
  readonly cleanName: string
}

/**
 * Throws `invalid_input` or, if the password is all that is wrong, `password_rejected`: with the
 * reasons of every field (UX-11).
 */
export function checkNewAccount(
  { name, email: submitted, password }: NewAccount,
  passwordContext: PasswordContext,
): CheckedAccount {
  const [email, cleanName] = [canonicalEmail(submitted), personName(name)]
  const context = { ...passwordContext, email: email ?? '', name: cleanName ?? '' }
  const fault = password === null ? undefined : checkPassword(password, context)
  const weak = fault ? { password: fault } : {}
  if (!email || !cleanName) {
    const wrong = {
      ...(cleanName ? {} : { name: 'invalid_name' }),
      ...(email ? {} : { email: 'invalid_email' }),
    }
    throw new AppError('invalid_input', { fields: { ...wrong, ...weak } })
  }
  if (fault) throw new AppError('password_rejected', { fields: weak })
  return { email, cleanName }
}
