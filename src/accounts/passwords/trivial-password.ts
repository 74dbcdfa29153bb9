import { isCommonPassword } from './common-passwords.ts'
import { markFillers } from './password-fillers.ts'

/** A word may hide behind up to this many characters that nothing explains, and at most one in five. */
const MAX_LEFT_OVER = 3
const LEFT_OVER_SHARE = 5
/** No policy accepts a shorter password, so repeating one cannot help. */
const MIN_BLOCK = 8
const WORD = { min: 4, max: 32 } as const

/** The form in which passwords and words are compared, never the one that is hashed. */
export function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase()
}

/**
 * Whether a password is a listed one, or has nothing around a listed one but repeats, sequences,
 * dates and a few characters.
 */
export function isTrivial(password: string): boolean {
  if (repeatedBlock(password.toLowerCase()).length < MIN_BLOCK) return true
  return spellings(fold(password)).some(
    (text) => isCommonPassword(text) || isMadeOf(text, []) || hidesCommonPassword(text),
  )
}

/** Whether a password is one or more of these folded words, in the same sense. */
export function isDerivedFrom(password: string, words: readonly string[]): boolean {
  return spellings(fold(password)).some((text) => {
    const present = words.filter((word) => lookalikes(text).some((form) => form.includes(word)))
    return present.length > 0 && isMadeOf(text, present)
  })
}

/** The password itself, without separators, and the block that it repeats. */
function spellings(text: string): string[] {
  const bare = text.replace(/[\s._-]/g, '')
  return [
    ...new Set([
      text,
      ...(bare.length >= WORD.min ? [bare] : []),
      repeatedBlock(text),
      repeatedBlock(bare),
    ]),
  ].filter(Boolean)
}

/** `abcd` for `abcdabcdab`; the text itself if it does not repeat. */
function repeatedBlock(text: string): string {
  for (let period = 1; period <= text.length / 2; period++)
    if (text.startsWith(text.slice(period))) return text.slice(0, period)
  return text
}

/** Letters instead of the digits and signs that stand for them; every form has the length of the text. */
function lookalikes(text: string): string[] {
  const letters = text.replace(
    /[@4837052$+]/g,
    (sign) =>
      ({
        '@': 'a',
        '4': 'a',
        '8': 'b',
        '3': 'e',
        '7': 't',
        '0': 'o',
        '5': 's',
        '2': 'z',
        $: 's',
        '+': 't',
      })[sign] ?? sign,
  )
  return [...new Set([text, letters.replace(/[1!|]/g, 'i'), letters.replace(/[1!|]/g, 'l')])]
}

function allowance(text: string): number {
  return Math.min(MAX_LEFT_OVER, Math.floor(text.length / LEFT_OVER_SHARE))
}

function isMadeOf(text: string, words: readonly string[]): boolean {
  return leftOver(text, words).length <= allowance(text)
}

/** Positions that neither the words nor fillers explain. */
function leftOver(text: string, words: readonly string[]): number[] {
  const explained = new Uint8Array(text.length)
  const forms = words.length > 0 ? lookalikes(text) : []
  for (const word of words)
    for (const form of forms)
      for (let at = form.indexOf(word); at >= 0; at = form.indexOf(word, at + word.length))
        explained.fill(1, at, at + word.length)
  markFillers(text, explained)
  return [...explained.keys()].filter((at) => !explained[at])
}

/**
 * Looks only for words that touch one of the first characters left over: one of them must be
 * explained. Digits alone are no word.
 */
function hidesCommonPassword(text: string): boolean {
  const open = leftOver(text, [])
  const first = open[0] ?? 0
  const last = open[allowance(text)] ?? 0
  const forms = lookalikes(text)
  for (let start = Math.max(0, first - WORD.max + 1); start <= last; start++)
    for (
      let end = Math.min(text.length, start + WORD.max);
      end > first && end >= start + WORD.min;
      end--
    ) {
      if (!/\p{L}/u.test(text.slice(start, end))) continue
      const words = new Set(forms.map((form) => form.slice(start, end)))
      for (const word of words) if (isCommonPassword(word) && isMadeOf(text, [word])) return true
    }
  return false
}
