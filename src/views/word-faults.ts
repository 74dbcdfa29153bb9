import { hasEnglish } from './fallback.ts'

type Words = ReadonlyMap<string, string>

const PLURAL = /^(.+)\.(zero|one|two|few|many|other)$/

/** The key without its plural category, if it is one of those that English has in several forms. */
export function pluralGroup(key: string, english: Words): string | undefined {
  const group = PLURAL.exec(key)?.[1]
  return group !== undefined && english.has(`${group}.one`) && english.has(`${group}.other`)
    ? group
    : undefined
}

/** What would break a page, or say another thing than English: a sentence each. */
export function wordFaults(words: Words, english: Words): string[] {
  return [...words].flatMap(([key, text]) => {
    const group = pluralGroup(key, english)
    const model = english.get(group === undefined ? key : `${group}.other`)
    if (model === undefined) return [`${key} is no key of the English texts`]
    if (text.trim() === '') return [`${key} is empty`]
    if (/[<>]/.test(text) || hasEnglish(text)) return [`${key} has markup, texts are plain`]
    const [own, expected] = [placeholders(text), placeholders(model)]
    const isFilled =
      group === undefined
        ? own.join() === expected.join()
        : own.every((place) => expected.includes(place))
    return isFilled
      ? []
      : [
          `${key} has the places ${own.join(' ') || '(none)'}, English has ${expected.join(' ') || '(none)'}`,
        ]
  })
}

/** The words of English for which there is none. Of plural forms, the last resort is enough. */
export function lackingWords(words: Words, english: Words): string[] {
  const needed = [...english.keys()].map((key) => {
    const group = pluralGroup(key, english)
    return group === undefined ? key : `${group}.other`
  })
  return [...new Set(needed)].filter((key) => !words.has(key))
}

function placeholders(text: string): string[] {
  return (text.match(/\{\w+\}/g) ?? []).sort()
}
