import { describe, expect, it } from '@jest/globals'
import { createViews } from '../../src/views/views.ts'
import { visibleText } from '../support/html.ts'
import { LOCALES, translatorOf } from './languages.ts'
import { BRAND, contextOf, PAGES } from './samples.ts'

const views = createViews({ brand: BRAND, issuer: 'https://id.example.org' })

describe('the devices that skip the second step', () => {
  it.each(LOCALES)('%s says until which day, for "until in 19 days" is said nowhere', (locale) => {
    const model = PAGES['account/sessions']['plain']
    const until = model?.trusted[0]?.until
    if (!model || !until) throw new Error('The sample trusts no device')
    const markup = views.page('account/sessions', model, contextOf('account/sessions', { locale }))
    const { date, t } = translatorOf(locale)
    const words = visibleText(markup)
    expect(words).toContain(t('sessions.trustedUntil', { date: date(until) }))
    expect(words).toContain(date(until))
  })
})
