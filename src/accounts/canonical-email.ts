import { domainToASCII, domainToUnicode } from 'node:url'
import { AppError } from '../errors.ts'

/**
 * One mailbox, one spelling: pure ASCII, lower case. Everything that looks up, limits by or mails
 * an address takes this type.
 */
export type CanonicalEmail = string & { readonly __brand: 'CanonicalEmail' }

export const MAX_EMAIL = 254
const MAX_LOCAL_BYTES = 64
/** Longer input is refused before any pattern sees it. */
const MAX_INPUT = 1024

const ATEXT = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
/**
 * RFC 5322 dot-atom: no quotes, comments or empty parts; nothing that a mail program takes for an
 * option or an encoded word.
 */
const LOCAL = new RegExp(`^(?!-)(?!.*=\\?)${ATEXT}(?:\\.${ATEXT})*$`)
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
/**
 * RFC 1123 host name of two labels or more whose last is no number, so it is no IP address in any
 * notation.
 */
const DOMAIN = new RegExp(`^(?:${LABEL}\\.)+(?![0-9]+$)${LABEL}$`)
const ASCII_LABEL = '(?![Xx][Nn]--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const ASCII_ATEXT = ATEXT.replace('a-z', 'A-Za-z')
/**
 * Addresses in plain ASCII that are surely taken; international domains are taken too, where IDNA
 * allows them.
 */
export const PLAIN_EMAIL_PATTERN = `^(?!-)(?!.*=\\?)(?=[^@]{1,64}@)${ASCII_ATEXT}(?:\\.${ASCII_ATEXT})*@(?:${ASCII_LABEL}\\.)+(?![0-9]+$|0[Xx][0-9A-Fa-f]*$)${ASCII_LABEL}$`

/**
 * What may be given to the IDNA mapping: it would drop invisible characters and cut at the
 * delimiters of URLs.
 */
const MAPPABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the ASCII range is what it is about
  /^(?:[a-z0-9.-]|[^\u0000-\u007f\p{Default_Ignorable_Code_Point}\p{Cc}\p{Cf}\p{Z}])+$/u

/**
 * The canonical form of what a person typed, or undefined if it is not exactly one `local@domain`
 * (EM-12). Only spaces around it are forgiven. The local part must be ASCII and is lower-cased;
 * `+tags` and dots stay, since only the receiver knows what they mean.
 */
export function canonicalEmail(input: string): CanonicalEmail | undefined {
  if (input.length > MAX_INPUT) return undefined
  const address = input.replace(/^ +/, '').replace(/ +$/, '')
  const at = address.indexOf('@')
  if (at < 1) return undefined
  const local = asciiLowerCase(address.slice(0, at))
  const domain = canonicalDomain(address.slice(at + 1))
  if (domain === undefined || local.length > MAX_LOCAL_BYTES || !LOCAL.test(local)) return undefined
  const canonical = `${local}@${domain}`
  return canonical.length <= MAX_EMAIL ? (canonical as CanonicalEmail) : undefined
}

/** Throws `invalid_input`. */
export function requireEmail(input: string): CanonicalEmail {
  const email = canonicalEmail(input)
  if (!email) throw new AppError('invalid_input', { fields: { email: 'invalid_email' } })
  return email
}

function canonicalDomain(typed: string): string | undefined {
  const mapped = typed.normalize('NFKC').toLowerCase()
  if (!MAPPABLE.test(mapped)) return undefined
  const ascii = domainToASCII(mapped)
  if (!DOMAIN.test(ascii)) return undefined
  // An A-label that stands for no Unicode name, or for one that has another A-label, is no second
  // spelling of anything.
  const unicode = domainToUnicode(ascii)
  return !/(?:^|\.)xn--/.test(unicode) && domainToASCII(unicode) === ascii ? ascii : undefined
}

/** Not `toLowerCase`: that maps the Kelvin sign to `k`, and one person's address to another's. */
function asciiLowerCase(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase())
}
