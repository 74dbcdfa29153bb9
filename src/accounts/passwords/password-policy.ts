import { codePoints, normalizePassword } from '../../crypto/normalize-password.ts'
import { fold, isDerivedFrom, isTrivial } from './trivial-password.ts'

export type PasswordFault = 'too_short' | 'too_long' | 'too_common' | 'too_personal'

/**
 * Shortest password in code points: as the only factor, and with a second one (PW-01, NIST SP
 * 800-63B-4 §3.1.1.2).
 */
export const MIN_PASSWORD = { alone: 15, withMfa: 8 } as const
/** Shorter words, such as a country's domain, say nothing about a person. */
const MIN_WORD = 3

/** What a guesser knows of the person and the product. */
export interface PasswordContext {
  readonly email?: string
  readonly name?: string
  readonly product?: string
  readonly issuerHost?: string
  readonly hasMfa?: boolean
}

/** Why a password is refused, or undefined. Length and guessability only: no composition rules (PW-03). */
export function checkPassword(
  password: string,
  context: PasswordContext,
): PasswordFault | undefined {
  const text = normalizePassword(password)
  if (text === undefined) return 'too_long'
  if (codePoints(text) < (context.hasMfa ? MIN_PASSWORD.withMfa : MIN_PASSWORD.alone))
    return 'too_short'
  if (isDerivedFrom(text, contextWords(context))) return 'too_personal'
  return isTrivial(text) ? 'too_common' : undefined
}

/**
 * Product, host, address and name, whole and in parts, without the digits around them (PW-05).
 * Longest first.
 */
function contextWords({
  email = '',
  name = '',
  product = '',
  issuerHost = '',
}: PasswordContext): string[] {
  const wholes = [email, ...email.split('@'), name, product, issuerHost].map(fold)
  const parts = wholes.flatMap((whole) => [whole, ...whole.split(/[^\p{L}\p{N}]+/u)])
  const words = parts.flatMap((part) => [part, part.replace(/^\p{N}+|\p{N}+$/gu, '')])
  return [...new Set(words)]
    .filter((word) => word.length >= MIN_WORD)
    .sort((a, b) => b.length - a.length)
}
