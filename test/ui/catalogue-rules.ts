import type { LanguageFile } from '../../src/views/language-file.ts'
import { lackingWords, pluralGroup, wordFaults } from '../../src/views/word-faults.ts'

type Words = ReadonlyMap<string, string>
export type Rule = (file: LanguageFile, english: Words) => string[]

/** Texts of buttons and of links that look like one. */
const BUTTON =
  /^action\.|^mail\..+\.button$|\.(submit|allow|deny|start|done|end|endOthers|remove|resend|regenerate|stay|edit|keep|view|turnOn|turnOff|use[A-Z]\w+)$/

/**
 * Letters, digits and signs of one address, URL or number: their signs would fall to the other
 * side in a text from right to left.
 */
const LITERAL = /[\w+][\w +./:@-]*[+./:@-][\w+./:@-]*|\+\d[\d ]+/g
const ISOLATED = /\{\w+\}|\u2066[^\u2066\u2069]+\u2069/g

/** What a catalogue has to be, as the title of a test, and the faults that a file has. */
export const RULES = {
  'has every word of English': ({ words, head: { status } }, english) =>
    status === 'complete'
      ? lackingWords(words, english).map((key) => `${key} is missing; or say "status": "partial"`)
      : [],
  'has no word that English has not, the same places, no markup and no empty word': (
    { words },
    english,
  ) => wordFaults(words, english),
  'has the plural forms of its language': ({ words, head: { tag } }, english) => {
    const forms = new Intl.PluralRules(tag).resolvedOptions().pluralCategories
    const groups = [...words.keys()].map((key) => pluralGroup(key, english))
    return [...new Set(groups)]
      .filter((group) => group !== undefined)
      .flatMap((group) => forms.map((form) => `${group}.${form}`))
      .filter((key) => !words.has(key))
      .map((key) => `${key} is missing, a plural form of ${tag}`)
  },
  'UX-38 isolates every address, URL and number in its texts': ({ words, head: { dir } }) =>
    dir === 'rtl'
      ? [...words]
          .filter(([, text]) => text.replaceAll(ISOLATED, ' ').match(LITERAL))
          .map(([key]) => `${key} has an address, URL or number outside of U+2066 and U+2069`)
      : [],
  'has no note of a translator': ({ words }) =>
    [...words]
      .filter(([, text]) => /\b(TODO|FIXME|TBD|XXX)\b/.test(text))
      .map(([key]) => `${key} has a note to translators`),
  'has buttons that are not much longer than those of English': ({ words }, english) =>
    [...words].flatMap(([key, text]) => {
      const most = Math.floor(1.6 * (english.get(key)?.length ?? 0)) + 6
      return BUTTON.test(key) && text.length > most
        ? [`${key} is a button of ${text.length} characters, ${most} fit`]
        : []
    }),
} as const satisfies Readonly<Record<string, Rule>>

/** All faults of a file, as a translator reads them. */
export function faultsOf(file: LanguageFile, english: Words): string[] {
  return Object.values(RULES).flatMap((rule: Rule) => rule(file, english))
}
