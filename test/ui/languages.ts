import { createTranslator, type Translator } from '../../src/views/translator.ts'
import { readLanguages } from '../../src/views/views.ts'

/** The languages of `views/locales`. */
export const LANGUAGES = readLanguages()
export const LOCALES = LANGUAGES.tags

/** Those in which every single page is walked: the default, a second one, one from right to left. */
export const WALKED = ['en', 'de', 'ar'] as const

export function translatorOf(tag: string): Translator {
  return createTranslator(LANGUAGES.get(tag), LANGUAGES.get('en').catalogue)
}
