/**
 * What takes no ink: white space, controls, Braille blank and Unicode's default ignorable code
 * points, fillers that count as letters among them, and half of a UTF-16 pair. Written as the inside of a character class that
 * every language's patterns understand, since the account API publishes it.
 */
export const INKLESS =
  '\\s\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u2800\\u3164\\ud800-\\udfff\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufff8\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}'

const INK = new RegExp(`[^${INKLESS}]`, 'u')
const INVISIBLE = new RegExp(`[${INKLESS}]`, 'u')

/** Whether a reader sees anything of it. */
export function isVisible(text: string): boolean {
  return INK.test(text)
}

/** Whether a reader sees all of it. */
export function isAllVisible(text: string): boolean {
  return !INVISIBLE.test(text)
}
