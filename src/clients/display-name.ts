import { z } from 'zod'
import { isVisible } from '../visible-text.ts'
import { saying } from './reasons.ts'

/**
 * Text that is shown to people: no control characters, line breaks or marks that turn the reading
 * direction.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const UNSHOWABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/
export const displayName = z
  .string()
  .min(1)
  .max(100)
  .refine(
    (text) => text.trim() === text && isVisible(text) && !UNSHOWABLE.test(text),
    saying('unshowable'),
  )
