import { INKLESS } from '../visible-text.ts'

const FORBIDDEN =
  '\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069\\ud800-\\udfff<>'
/**
 * One line in which there is something to see, no markup, no URL, nothing that turns the reading
 * direction (EM-13), and no half of a UTF-16 pair, which PostgreSQL does not store.
 */
export const NAME_PATTERN = `^(?!.*://)(?=.*[^${INKLESS}])[^${FORBIDDEN}]+$`
export const MAX_NAME = 100

const NAME = new RegExp(NAME_PATTERN, 'u')

/** A name fit to be shown and mailed, trimmed; its length is counted in code points. */
export function personName(submitted: string): string | undefined {
  const name = submitted.normalize('NFC').trim()
  return [...name].length <= MAX_NAME && NAME.test(name) ? name : undefined
}
