import { join } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import { OIDC_SCOPES } from '../../src/clients/scopes.ts'
import { ERROR_CODES } from '../../src/errors.ts'
import { CLAIMS_BY_SCOPE } from '../../src/oidc/claims/registry.ts'
import { readLanguageFile } from '../../src/views/language-file.ts'
import { negotiate } from '../../src/views/negotiation.ts'
import {
  ACTION_LABELS,
  createViews,
  MESSAGE_KINDS,
  NOTICE_KINDS,
  type Problems,
  type Views,
  type ViewsDeps,
} from '../../src/views/views.ts'
import { RULES, type Rule } from './catalogue-rules.ts'
import { LANGUAGES, LOCALES, translatorOf } from './languages.ts'
import { BRAND, contextOf, eachMail, eachPage, PAGES } from './samples.ts'

const english = LANGUAGES.get('en').catalogue
describe('UX-39 every language has every word', () => {
  const fileOf = (locale: string) =>
    readLanguageFile(join(import.meta.dirname, `../../views/locales/${locale}.json`))

  describe.each(LOCALES)('%s', (locale) => {
    it.each(Object.entries<Rule>(RULES))('%s', (_, rule) => {
      expect(rule(fileOf(locale), english)).toEqual([])
    })
  })

  it('is used to the last word, by rendering every page and mail', () => {
    const used = new Set<string>()
    class Recording extends Map<string, string> {
      override get(key: string): string | undefined {
        used.add(key)
        return super.get(key)
      }
    }
    const recording = { ...LANGUAGES.get('en'), catalogue: new Recording(english) }
    const viewsOf = (brand: ViewsDeps['brand']): Views =>
      createViews({
        brand,
        issuer: 'https://id.example.org',
        languages: { ...LANGUAGES, get: () => recording },
      })
    const views = viewsOf(BRAND)
    for (const { name, model } of eachPage()) views.page(name, model, contextOf(name))
    for (const { name, model } of eachMail()) views.mail(name, model, { locale: 'en' })

    const overview = PAGES['account/index']['plain']
    const signUp = PAGES['interaction/sign-up']['plain']
    const consent = PAGES['interaction/consent']['plain']
    const activity = PAGES['account/activity']['plain']
    if (!overview || !signUp || !consent || !activity) throw new Error('samples are missing')
    for (const code of ERROR_CODES)
      views.page('pages/error', { code, requestId: 'r' }, contextOf('pages/error'))
    for (const notice of NOTICE_KINDS)
      views.page('account/index', { ...overview, notice }, contextOf('account/index'))
    for (const kind of MESSAGE_KINDS)
      views.page(
        'pages/message',
        { kind, actions: ACTION_LABELS.map((label) => ({ href: '/', label })) },
        contextOf('pages/message'),
      )
    for (const { privacyUrl, termsUrl } of [
      { ...BRAND, privacyUrl: undefined },
      { ...BRAND, termsUrl: undefined },
    ])
      viewsOf({ name: 'G', privacyUrl, termsUrl }).page(
        'interaction/sign-up',
        signUp,
        contextOf('interaction/sign-up'),
      )
    for (const left of [0, 1, 2])
      views.page(
        'account/index',
        { ...overview, recoveryCodesLeft: left, appCount: left, passkeyCount: left },
        contextOf('account/index'),
      )
    views.page(
      'interaction/consent',
      {
        ...consent,
        scopes: [...OIDC_SCOPES, 'account'].map((scope) => ({ scope, isNew: false })),
        claims: [...english.keys()]
          .filter((key) => key.startsWith('claim.'))
          .map((key) => ({ claim: key.slice('claim.'.length), isNew: false })),
      },
      contextOf('interaction/consent'),
    )
    for (const key of english.keys()) {
      const [group, type = '', ...rest] = key.split('.')
      if (key.startsWith('activity.types.'))
        views.page(
          'account/activity',
          { ...activity, events: [{ type: rest.join('.'), outcome: 'success', at: new Date() }] },
          contextOf('account/activity'),
        )
      if (group === 'reason') {
        const fields = type.startsWith('password_')
          ? { password: type.slice('password_'.length) }
          : { name: type }
        views.page(
          'interaction/sign-up',
          { ...signUp, problems: { fields } satisfies Problems },
          contextOf('interaction/sign-up'),
        )
      }
    }
    views.page(
      'pages/sign-out',
      { form: { action: '/', fields: {} } },
      { ...contextOf('pages/error') },
    )
    for (const label of ['start_again', 'back_to_app'] as const)
      views.page(
        'pages/error',
        { code: 'interaction_expired', requestId: 'r', wayOn: { href: '/', label } },
        contextOf('pages/sign-out'),
      )
    expect([...english.keys()].filter((key) => !used.has(key))).toEqual([])
  })

  it('words every scope and claim of the server and every refusal', () => {
    for (const scope of [...OIDC_SCOPES, 'account'])
      expect(english.has(`scope.${scope}.title`)).toBe(true)
    const { openid: _ofTheSignIn, ...ofThePerson } = CLAIMS_BY_SCOPE
    for (const claim of Object.values(ofThePerson).flat())
      expect([claim, english.has(`claim.${claim}`)]).toEqual([claim, true])
    for (const code of ERROR_CODES) expect(english.has(`problem.${code}`)).toBe(true)
  })
})

describe('UX-39 dates, numbers and plurals are those of the language', () => {
  const at = new Date('2026-03-14T09:30:00Z')
  it.each([
    ['en', '14 March 2026', '10 minutes', '3 hours ago', '2 devices signed in'],
    ['de', '14. März 2026', '10 Minuten', 'vor 3 Stunden', '2 Geräte angemeldet'],
    ['ar', '14 مارس 2026', '10 دقائق', 'قبل 3 ساعات', 'جهازان مسجّلان'],
    ['pl', '14 marca 2026', '10 minut', '3 godziny temu', '2 zalogowane urządzenia'],
    ['tr', '14 Mart 2026', '10 dakika', '3 saat önce', '2 cihazda oturum açık'],
    ['uk', '14 березня 2026 р.', '10 хвилин', '3 години тому', 'Вхід на 2 пристроях'],
    ['ja', '2026年3月14日', '10 分', '3 時間前', '2台のデバイスでログイン中'],
    ['zh-Hans', '2026年3月14日', '10分钟', '3小时前', '2 台设备已登录'],
  ] as const)('%s', (locale, date, duration, ago, devices) => {
    const { date: dateOf, dateTime, duration: durationOf, relative, count } = translatorOf(locale)
    expect(dateOf(at)).toBe(date)
    expect(dateTime(at)).toMatch(/9:30.*UTC$/)
    expect(durationOf(600)).toBe(duration)
    expect(relative(at, new Date(at.getTime() + 3 * 3_600_000 + 5000))).toBe(ago)
    expect(count('overview.sessionCount', 2)).toBe(devices)
  })

  it('says durations in the largest unit that fits', () => {
    const { duration } = translatorOf('en')
    expect([45, 90, 600, 7200, 30 * 86_400].map(duration)).toEqual([
      '45 seconds',
      '90 seconds',
      '10 minutes',
      '2 hours',
      '30 days',
    ])
  })

  it('throws for a word or a value that is not there', () => {
    const { t } = translatorOf('en')
    expect(() => t('login.nothing')).toThrow('no words for login.nothing in en')
    expect(() => t('page.continueTo')).toThrow('no value for {app}')
  })
})

describe('UX-32 UX-39 the language of a page', () => {
  it.each([
    [{}, 'en'],
    [{ acceptLanguage: 'fr-FR, de;q=0.8, en;q=0.5' }, 'de'],
    [{ acceptLanguage: 'en;q=0.2, ar-EG;q=0.9' }, 'ar'],
    [{ acceptLanguage: 'de;q=0, en;q=0.1' }, 'en'],
    [{ acceptLanguage: 'xx, *;q=0.1, ;;q=x,,' }, 'en'],
    [{ acceptLanguage: 'en', uiLocales: 'fr-CA ar de' }, 'ar'],
    [{ acceptLanguage: 'en', uiLocales: 'fr' }, 'en'],
    [{ uiLocales: 'ar', cookie: 'de' }, 'de'],
    [{ uiLocales: 'de-AT', cookie: '__proto__' }, 'de'],
    [{ uiLocales: 'x'.repeat(100_000), acceptLanguage: ','.repeat(100_000) }, 'en'],
  ] as const)('%j -> %s', (wishes, locale) => {
    expect(negotiate(['en', 'ar', 'de'], wishes)).toBe(locale)
  })
})
