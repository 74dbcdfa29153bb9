import type { Context } from 'koa'
import { canonicalEmail } from '../accounts/canonical-email.ts'
import { normalizePassword } from '../crypto/normalize-password.ts'
import { foldCode } from '../crypto/typed-code.ts'
import { AppError } from '../errors.ts'
import type { Problems } from '../views/views.ts'
import { formOf } from './state.ts'

/** Text fields of a form that went through `formBody`; one that was not sent is empty. */
export function textsOf<Name extends string>(
  ctx: Context,
  ...names: readonly Name[]
): Record<Name, string> {
  const form = formOf(ctx)
  return Object.fromEntries(names.map((name) => [name, form[name] ?? ''])) as Record<Name, string>
}

/** Refuses a form with all that is wrong with it, so that a person mends it in one go (UX-11). */
export function refuseFaults(faults: Readonly<Record<string, string | undefined>>): void {
  const found = Object.entries(faults).flatMap(([field, fault]) =>
    fault ? [[field, fault] as const] : [],
  )
  if (found.length > 0) throw new AppError('invalid_input', { fields: Object.fromEntries(found) })
}

export function emptyFault(typed: string): 'required' | undefined {
  return typed.trim() === '' ? 'required' : undefined
}

/** Of an address, as precisely as helps. */
export function emailFault(typed: string): 'required' | 'has_spaces' | 'invalid_email' | undefined {
  if (canonicalEmail(typed)) return undefined
  return emptyFault(typed) ?? (/\s/.test(typed.trim()) ? 'has_spaces' : 'invalid_email')
}

/** The use cases know one fault of an address; who typed it is told which. */
export function preciseProblems(problems: Problems, typed: { readonly email: string }): Problems {
  const { fields } = problems
  return fields?.['email']
    ? { ...problems, fields: { ...fields, email: emailFault(typed.email) ?? fields['email'] } }
    : problems
}

/** Of a code of six digits: what cannot be one costs no try. */
export function codeFault(typed: string): 'required' | 'six_digits' | undefined {
  return emptyFault(typed) ?? (/^\d{6}$/.test(foldCode(typed)) ? undefined : 'six_digits')
}

/** Of a password that is to be proven, not chosen. */
export function passwordFault(typed: string): 'required' | 'password_too_long' | undefined {
  if (typed === '') return 'required'
  return normalizePassword(typed) === undefined ? 'password_too_long' : undefined
}
