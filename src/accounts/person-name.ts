import { isVisible } from '../visible-text.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const FORBIDDEN = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069<>]|:\/\//u

/** A name fit to be shown and mailed: trimmed, one line, something to see, at most 100 characters, no markup, no URL (EM-13). */
export function personName(submitted: string): string | undefined {
  const name = submitted.normalize('NFC').trim()
  return isVisible(name) && [...name].length <= 100 && !FORBIDDEN.test(name) ? name : undefined
}
