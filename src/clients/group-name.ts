import { z } from 'zod'
import { isAllVisible } from '../visible-text.ts'
import { displayName } from './display-name.ts'
import { saying } from './reasons.ts'

/** Of a group, as apps see it: one spelling of each letter, and nothing in it that takes no ink. */
export const groupName = z
  .string()
  .transform((text) => text.normalize('NFC'))
  .pipe(displayName)
  .refine((text) => isAllVisible(text.replaceAll(' ', '')), saying('unshowable'))

/** What is equal of two names of one group: upper and lower case are no difference. */
export const groupKey = (name: string): string => name.normalize('NFC').toLowerCase()
