/** Control characters, line and paragraph separators, and what turns the direction of the text around it. */
const INVISIBLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]+/gu
const URL_LIKE = /\S*:\/\/\S*|\S*<[^>]*>?|[<>]/gu
/** A dot before two letters makes mail programs link the text around it. */
const LINKED_DOT = /\.(?=[\p{L}\p{N}-]*\p{L}{2})/gu

/**
 * A stranger's name as a mail may print it: one line, at most 100 characters, nothing that is or
 * becomes a link (EM-13).
 */
export function plainName(name: string): string {
  const line = name
    .normalize('NFC')
    .slice(0, 1000)
    .replace(INVISIBLE, ' ')
    .replace(URL_LIKE, ' ')
    .replace(LINKED_DOT, '. ')
  return [...line.replace(/\s+/gu, ' ').trim()].slice(0, 100).join('').trim()
}
