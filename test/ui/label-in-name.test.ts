import { describe, expect, it } from '@jest/globals'
import { createViews } from '../../src/views/views.ts'
import { decode, visibleText } from '../support/html.ts'
import { LOCALES } from './languages.ts'
import { BRAND, contextOf, eachPage } from './samples.ts'

const views = createViews({ brand: BRAND, issuer: 'https://id.example.org' })
const NAMED = /<(a|button|summary)\b[^>]*\baria-label="([^"]+)"[^>]*>(.*?)<\/\1>/gs

/** What is read aloud, and what is seen: who speaks to a device says what they see. */
function namesOf(markup: string): [name: string, label: string][] {
  return [...markup.matchAll(NAMED)].map(([, , name = '', inner = '']) => [
    decode(name).toLocaleLowerCase(),
    visibleText(inner).toLocaleLowerCase(),
  ])
}

describe('UX-40 what is read aloud of a control has the words that are seen on it', () => {
  it.each(LOCALES)('%s', (locale) => {
    const names = eachPage().flatMap(({ name, model }) =>
      namesOf(views.page(name, model, contextOf(name, { locale }))),
    )
    expect(names.filter(([name, label]) => !name.includes(label))).toEqual([])
    expect(names.some(([, label]) => label !== '')).toBe(true)
  })
})
