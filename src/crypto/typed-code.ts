/**
 * A code as a person typed or pasted it, in its one spelling: digits of every script and width
 * become 0 to 9, letters upper case, and spaces, dashes and the invisible marks that are copied
 * along with right-to-left text go.
 */
export function foldCode(typed: string): string {
  if (typed.length > MAX_TYPED) return ''
  return typed
    .normalize('NFKC')
    .replace(/[\s\p{Pd}\p{Cf}\p{Mn}]/gu, '')
    .replace(/\p{Nd}/gu, worth)
    .toUpperCase()
}

/** Longer input is no code, however it is spelled. */
const MAX_TYPED = 200

/** The ten digits of a script stand in a row, so a digit is worth the number of digits before it. */
function worth(digit: string): string {
  const point = digit.codePointAt(0) ?? 0
  let value = 0
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(point - value - 1))) value++
  return String(value)
}
