import { randomInt } from 'node:crypto'
import { foldCode } from './typed-code.ts'

/** Crockford's base32: no I, L, O and U, which people misread. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const GROUP = 4
const GROUPS = 4

/** Ten codes of 80 random bits each, as `7K3M-Q0ZR-1XWB-9T4E` (TF-09). */
export function generateRecoveryCodes(count = 10): string[] {
  return Array.from({ length: count }, () => Array.from({ length: GROUPS }, group).join('-'))
}

/**
 * The one spelling to digest: no separators, upper case, misread letters put right. Undefined if it
 * cannot be a recovery code.
 */
export function normalizeRecoveryCode(typed: string): string | undefined {
  const code = foldCode(typed).replace(/[IL]/g, '1').replace(/O/g, '0')
  return /^[0-9A-HJKMNP-TV-Z]{16}$/.test(code) ? code : undefined
}

function group(): string {
  return Array.from({ length: GROUP }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
}
