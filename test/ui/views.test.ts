import { describe, expect, it } from '@jest/globals'
import { AppError } from '../../src/errors.ts'
import { problemList } from '../../src/views/problems.ts'
import {
  createViews,
  deviceName,
  foreignForm,
  type PageModels,
  type PageName,
  type Problems,
  problemsOf,
  type Views,
} from '../../src/views/views.ts'
import { type Token, textOf, tokensOf, visibleText } from '../support/html.ts'
import { LOCALES, translatorOf, WALKED } from './languages.ts'
import { BRAND, contextOf, eachMail, eachPage, GOES_ON, PAGES } from './samples.ts'

const views = createViews({ brand: BRAND, issuer: 'https://id.example.org' })
type Open = Extract<Token, { kind: 'open' | 'close' }>
const elements = (markup: string): Open[] =>
  [...tokensOf(markup)].filter((token): token is Open => token.kind === 'open')
const tags = (markup: string, tag: string): Open['attributes'][] =>
  elements(markup).flatMap((each) => (each.tag === tag ? [each.attributes] : []))
const byId = (markup: string, id: string): Open['attributes'] =>
  elements(markup).find(({ attributes }) => attributes['id'] === id)?.attributes ?? {}

const rendered = WALKED.flatMap((locale) =>
  eachPage().map(({ name, variant, model }) => ({
    title: `${name} ${variant} ${locale}`,
    name,
    locale,
    model,
    markup: views.page(name, model, contextOf(name, { locale })),
  })),
)
const passwordMinLengthOf = (model: object): number =>
  (model as { passwordMinLength?: number }).passwordMinLength ?? 15
const en = rendered.filter(({ locale }) => locale === 'en')
const markupOf = (name: PageName, variant = 'plain'): string =>
  en.find(({ title }) => title === `${name} ${variant} en`)?.markup ?? ''

describe.each(rendered)('$title', ({ name, markup, locale, model }) => {
  const controls = elements(markup).filter(
    ({ tag, attributes }) => ['input', 'select'].includes(tag) && attributes['type'] !== 'hidden',
  )

  it('UX-38 UX-40 names its language and direction, and has one h1 and one main', () => {
    expect(tags(markup, 'html')[0]).toMatchObject({
      lang: locale,
      dir: locale === 'ar' ? 'rtl' : 'ltr',
    })
    expect([
      tags(markup, 'h1').length,
      tags(markup, 'main').length,
      tags(markup, 'title').length,
    ]).toEqual([1, 1, 1])
    expect(textOf(markup, 'h1')).not.toBe('')
  })

  it('UX-1 UX-40 labels every field, and every reference leads somewhere', () => {
    const ids = elements(markup).flatMap(({ attributes }) => attributes['id'] ?? [])
    expect(new Set(ids).size).toBe(ids.length)
    const labelled = new Set(tags(markup, 'label').map((attributes) => attributes['for']))
    expect(
      controls.filter(
        ({ attributes }) =>
          !labelled.has(attributes['id'] ?? '') && attributes['aria-hidden'] !== 'true',
      ),
    ).toEqual([])
    const referred = elements(markup).flatMap(({ attributes }) => [
      ...(attributes['aria-describedby']?.split(' ') ?? []),
      ...(attributes['for'] ? [attributes['for']] : []),
      ...(attributes['href']?.startsWith('#') ? [attributes['href'].slice(1)] : []),
    ])
    expect(referred.filter((id) => !ids.includes(id))).toEqual([])
  })

  it('UX-40 names every button and link, skips no level of headings, and says its messages aloud', () => {
    const pressed = [...markup.matchAll(/<(a|button)\b([^>]*)>([\s\S]*?)<\/\1>/g)]
    expect(
      pressed.filter(
        ([, , attributes = '', inner = '']) =>
          !/aria-label="[^"]/.test(attributes) && !visibleText(inner),
      ),
    ).toEqual([])
    const levels = elements(markup).flatMap(({ tag }) =>
      /^h[1-6]$/.test(tag) ? [Number(tag[1])] : [],
    )
    expect(levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1)).toEqual([])
    const notices = elements(markup).filter(({ attributes }) =>
      attributes['class']?.split(' ').includes('notice'),
    )
    expect(notices.filter(({ attributes }) => attributes['role'] !== 'status')).toEqual([])
    expect(tags(markup, 'img').filter(({ alt }) => alt === undefined)).toEqual([])
    expect(
      tags(markup, 'svg').filter(
        (svg) => svg['aria-hidden'] !== 'true' && !(svg['role'] === 'img' && svg['aria-label']),
      ),
    ).toEqual([])
  })

  it('WB-03 UX-17 has no inline script, style or handler, and asks no third party', () => {
    const all = elements(markup)
    expect(
      all.filter(({ attributes }) =>
        Object.keys(attributes).some((name) => name.startsWith('on') || name === 'style'),
      ),
    ).toEqual([])
    expect(tags(markup, 'style')).toEqual([])
    const scripts = tags(markup, 'script').map(({ src = '', nonce }) => [src.split('.')[0], nonce])
    const works = markup.includes('data-challenge=') ? [['/assets/work', 'bm9uY2U']] : []
    expect(scripts).toEqual([['/assets/gatehouse', 'bm9uY2U'], ...works])
    const loaded = all.flatMap(({ tag, attributes }) =>
      tag === 'link' ? (attributes['href'] ?? []) : (attributes['src'] ?? []),
    )
    expect(loaded.filter((url) => !/^(\/assets\/|data:image\/)/.test(url))).toEqual([])
  })

  it('prints no "undefined", "null", "NaN" or object', () => {
    const words = `${visibleText(markup)} ${elements(markup)
      .flatMap(({ attributes }) =>
        Object.entries(attributes).map(([key, value]) => (key === 'data-waiting' ? '' : value)),
      )
      .join(' ')}`
    expect(words).not.toMatch(/\bundefined\b|\bnull\b|\bNaN\b|\[object|\{\w+\}/)
  })

  it('UX-11 says what is wrong on top, beside the field and in the title, or not at all', () => {
    const { problems } = model as { problems?: { fields?: object } }
    const summary = elements(markup).find(({ attributes }) => attributes['role'] === 'alert')
    const error = translatorOf(locale)
      .t('page.errorTitle', { title: '' })
      .replace(/[\u2068\u2069]/g, '')
      .trim()
    expect(textOf(markup, 'title')?.startsWith(error)).toBe(problems !== undefined)
    expect(summary !== undefined).toBe(problems !== undefined)
    if (problems) expect(summary?.attributes).toMatchObject({ tabindex: '-1', 'data-focus': '' })
    for (const { attributes } of controls) {
      const isWrong = attributes['aria-describedby']?.includes('-error') ?? false
      expect(attributes['aria-invalid']).toBe(isWrong ? 'true' : undefined)
      if (isWrong)
        expect(tags(markup, 'a').some(({ href }) => href === `#${attributes['id'] ?? ''}`)).toBe(
          true,
        )
    }
    for (const field of Object.keys(problems?.fields ?? {}))
      expect(byId(markup, field)['aria-invalid']).toBe('true')
  })

  it('UX-11 says nothing twice: a summary that names the field leaves the sentence to it', () => {
    const words = visibleText(markup)
    const translator = translatorOf(locale)
    for (const { text } of problemList(
      (model as { problems?: Problems }).problems,
      translator,
      passwordMinLengthOf(model),
    ))
      expect(`${text}: ${words.split(text).length - 1}`).toBe(`${text}: 1`)
  })

  it('UX-1 posts each of its forms with a token, has at most one primary action and a way to change the language', () => {
    const posts = markup
      .split('<form')
      .slice(1)
      .filter((form) => /^[^>]*method="post"/.test(form))
    const isForeign = (form: string): boolean => /name="(xsrf|state)"/.test(form)
    expect(
      posts.filter((form) => !isForeign(form) && !/name="_csrf" value="csrf-token"/.test(form)),
    ).toEqual([])
    expect(markup.match(/class="button[^"]*\bprimary\b/g)?.length ?? 0).toBeLessThanOrEqual(1)
    // They are gone before anybody could choose.
    if (GOES_ON.has(name)) return
    expect(markup).toMatch(/<form class="languages" method="get" action="\/locale"/)
    expect(
      tags(markup, 'button')
        .filter(({ name }) => name === 'lang')
        .map(({ value }) => value),
    ).toEqual([...LOCALES])
  })

  it('UX-11 leaves no form to the bubbles of the browser, which speak its language and hide the words of the page', () => {
    expect(tags(markup, 'form').filter((form) => form['novalidate'] === undefined)).toEqual([])
  })

  it('UX-7 PW-13 never blocks paste or autofill', () => {
    expect(markup).not.toMatch(
      /onpaste|autocomplete="(off|nope|false)"[^>]*type="password"|type="password"[^>]*autocomplete="off"/,
    )
  })
})

describe('the fields of the pages', () => {
  it('UX-2 UX-3 PW-13 asks for address and password of sign-in as password managers expect', () => {
    const markup = markupOf('interaction/login')
    expect(byId(markup, 'username')).toMatchObject({
      type: 'email',
      name: 'username',
      autocomplete: 'username webauthn',
      inputmode: 'email',
      autocapitalize: 'none',
      spellcheck: 'false',
      autofocus: '',
    })
    expect(byId(markup, 'password')).toMatchObject({
      type: 'password',
      autocomplete: 'current-password',
    })
    expect(byId(markup, 'password')['minlength']).toBeUndefined()
  })

  it.each(['interaction/sign-up', 'pages/reset-password', 'account/password'] as const)(
    'UX-3 PW-13 a new password on %s',
    (name) => {
      const markup = markupOf(
        name,
        {
          'interaction/sign-up': 'plain',
          'pages/reset-password': 'code',
          'account/password': 'confirm',
        }[name],
      )
      expect(byId(markup, 'password')).toMatchObject({
        type: 'password',
        autocomplete: 'new-password',
        minlength: '15',
      })
      // Cut by the browser, a longer one that is pasted would become another password (PW-02).
      expect(byId(markup, 'password')['maxlength']).toBeUndefined()
      expect(byId(markup, 'password')['passwordrules']).toContain('minlength: 15')
    },
  )

  it('PW-01 asks for 8 characters where a second factor is on, in attribute, hint and refusal', () => {
    const markup = markupOf('account/password', 'totp')
    expect(byId(markup, 'password')).toMatchObject({
      minlength: '8',
      passwordrules: 'minlength: 8; maxlength: 256; allowed: unicode;',
    })
    expect(visibleText(markup)).toContain('At least 8 characters.')
    expect(visibleText(markup)).toContain('Use at least 8 characters.')
  })

  it('UX-5 change and reset carry the address for password managers, out of sight but no hidden field', () => {
    for (const markup of [markupOf('pages/reset-password', 'code'), markupOf('account/password')])
      expect(
        tags(markup, 'input').find(({ autocomplete }) => autocomplete === 'username'),
      ).toMatchObject({
        type: 'email',
        value: 'ada@example.org',
        class: 'offscreen',
      })
  })

  it.each(['interaction/verify-email', 'interaction/mfa', 'account/mfa-enrol'] as const)(
    'UX-6 PW-13 one field for the code on %s',
    (name) => {
      const codes = tags(markupOf(name), 'input').filter(
        ({ autocomplete }) => autocomplete === 'one-time-code',
      )
      expect(codes).toHaveLength(1)
      expect(codes[0]).toMatchObject({
        type: 'text',
        inputmode: 'numeric',
        pattern: '[0-9 ]*',
        name: 'code',
      })
      expect(Number(codes[0]?.['maxlength'])).toBeGreaterThanOrEqual(12)
    },
  )

  it('UX-9 nobody types a password or an address twice', () => {
    for (const { markup } of en) {
      expect(
        tags(markup, 'input').filter(({ type }) => type === 'password').length,
      ).toBeLessThanOrEqual(1)
      expect(
        tags(markup, 'input').filter(
          ({ type, class: name }) => type === 'email' && name !== 'offscreen',
        ).length,
      ).toBeLessThanOrEqual(1)
    }
  })

  it('UX-8 UX-16 the button that shows a password is made by the script, so it is absent without', () => {
    expect(markupOf('interaction/login')).not.toContain('aria-pressed')
    expect(byId(markupOf('interaction/login'), 'password')['data-show']).toBe('Show password')
  })

  it('UX-10 keeps the address and drops the password after a refusal', () => {
    const markup = markupOf('interaction/login', 'wrong')
    expect(byId(markup, 'username')['value']).toBe('ada@example.org')
    expect(byId(markup, 'password')['value']).toBeUndefined()
    expect(byId(markup, 'username')['autofocus']).toBeUndefined()
  })

  it('UX-10 keeps a code that was not what is wrong', () => {
    const { code: sample } = PAGES['pages/reset-password']
    if (!sample) throw new Error('no sample')
    const codeAfter = (problems: Problems) =>
      byId(
        views.page(
          'pages/reset-password',
          { ...sample, code: '123456', problems },
          contextOf('pages/reset-password'),
        ),
        'code',
      )['value']
    expect(codeAfter({ code: 'password_rejected', fields: { password: 'too_common' } })).toBe(
      '123456',
    )
    expect(codeAfter({ code: 'invalid_code' })).toBeUndefined()
    expect(codeAfter({ code: 'invalid_input', fields: { code: 'six_digits' } })).toBeUndefined()
  })

  it('UX-13 says when to try again', () => {
    expect(visibleText(markupOf('interaction/login', 'limited'))).toContain(
      'Try again in 30 seconds.',
    )
    expect(visibleText(markupOf('pages/error', 'limited'))).toContain('Try again in 5 minutes.')
  })

  it('UX-26 sends a code again by a form of its own', () => {
    const markup = markupOf('interaction/verify-email')
    expect(tags(markup, 'form').map(({ action }) => action)).toContain('/interaction/abc/resend')
    expect(tags(markup, 'button').find((button) => button['data-wait'])).toMatchObject({
      'data-wait': '30',
      'data-waiting': 'Send it again in {seconds} s',
    })
  })

  it.each([
    'pages/verify-link',
    'pages/report-compromise',
    'pages/undo-email',
    'pages/undo-deletion',
  ] as const)('UX-28 %s spends its token by one button', (name) => {
    const posts = tags(markupOf(name), 'form').filter(({ method }) => method === 'post')
    expect(posts).toHaveLength(1)
    expect(
      tags(markupOf(name), 'button').filter(({ class: names }) => names?.includes('primary')),
    ).toHaveLength(1)
  })

  it('UX-23 shows the key as a picture with words for it, and in groups of four', () => {
    const markup = markupOf('account/mfa-enrol')
    expect(tags(markup, 'svg').find(({ class: name }) => name === 'qr')).toMatchObject({
      role: 'img',
      'aria-label': expect.stringContaining('QR'),
    })
    expect(visibleText(markup)).toContain('JBSW Y3DP EHPK 3PXP')
  })
})

describe('UX-30 UX-31 the app that asks', () => {
  const page = (client: object, name: PageName = 'interaction/login'): string =>
    views.page(
      name,
      en.find((each) => each.name === name)?.model as never,
      contextOf(name, { client: { name: 'Acme', ...client } }),
    )

  it('stands on every page of its sign-in, with the server below', () => {
    for (const { markup, name } of en.filter((each) => each.name.startsWith('interaction/'))) {
      expect(`${name}: ${visibleText(markup)}`).toContain('Continue to Acme')
      expect(visibleText(markup)).toContain('Gatehouse at id.example.org')
    }
  })

  it('shows where an app leads that nobody vouches for, and no host for others', () => {
    expect(visibleText(page({ host: 'app.acme.example' }))).toContain('Leads to app.acme.example')
    expect(visibleText(page({}))).not.toContain('Leads to')
  })

  it('UX-17 WB-05 shows a logo only when it comes from here', () => {
    const shown = (logoUri: string): boolean => page({ logoUri }).includes('<img')
    expect(['data:image/png;base64,AA==', '/logos/acme.svg'].map(shown)).toEqual([true, true])
    expect(
      [
        'https://acme.example/logo.svg',
        '//acme.example/l',
        '/\\acme.example/l',
        'javascript:alert(1)',
      ].map(shown),
    ).toEqual([false, false, false, false])
  })

  it('lists what is asked in words, marks the new, weighs both answers alike and says how long', () => {
    const markup = markupOf('interaction/consent', 'api')
    const text = visibleText(markup)
    expect(text).toContain('Acme asks for access')
    expect(text).toContain('See your phone number New If you have entered one.')
    expect(text).toContain(
      'Acme Books https://api.acme.example Send invoices New invoices:read New',
    )
    expect(text).toContain('You will be sent to app.acme.example')
    expect(text).toContain('Access ends after 30 days at the latest.')
    expect(text).toContain('ada@example.org Use another account')
    expect(tags(markup, 'button').filter(({ name }) => name === 'decision')).toEqual([
      { class: 'button', name: 'decision', value: 'deny' },
      { class: 'button', name: 'decision', value: 'allow' },
    ])
    const policy = tags(markup, 'a').filter(({ href }) => href?.startsWith('https://acme.example'))
    expect(policy.map(({ rel }) => rel)).toEqual([
      'noopener noreferrer nofollow',
      'noopener noreferrer nofollow',
    ])
    expect(tags(markup, 'a').some(({ href }) => href === '/account/apps')).toBe(true)
  })

  it('UX-31 says each thing once: where it leads, how long, and where it is taken back', () => {
    const offline = visibleText(markupOf('interaction/consent'))
    const short = visibleText(markupOf('interaction/consent', 'api'))
    for (const text of [offline, short])
      for (const once of ['app.acme.example', 'Connected apps', 'Acme asks for access'])
        expect(text.split(once)).toHaveLength(2)
    expect(offline).toContain('Access stays until you remove it under Connected apps .')
    expect(short).toContain('You can remove it before under Connected apps .')
  })

  it('CL-03 links no policy that is not a web page', () => {
    const plain = PAGES['interaction/consent']['plain']
    if (!plain) throw new Error('no sample')
    const markup = views.page(
      'interaction/consent',
      { ...plain, policyUrl: 'javascript:alert(1)', termsUrl: 'data:text/html,x' },
      contextOf('interaction/consent'),
    )
    expect(markup).not.toMatch(/javascript:|data:text/)
  })
})

type Sample = ReturnType<typeof eachPage>[number]
const PAYLOADS = [
  `"><script>alert(1)</script>`,
  `'><img src=x onerror=alert(1)>`,
  `</title></textarea></style><svg/onload=alert(1)>`,
  `" autofocus onfocus=alert(1) x="`,
  `<%= process.env %><%~ it.body %>`,
  `\${alert\`1\`}{{7*7}}{name}`,
  `&lt;b&gt;&#60;b&#62;`,
  'javascript:alert(1)//"><b>',
  `\u0000\u2028<!--`,
]
/** Values that choose words or branches; strangers never write them. */
const CHOICES = new Set([
  'code',
  'kind',
  'label',
  'notice',
  'method',
  'step',
  'purpose',
  'reason',
  'door',
  'outcome',
  'locale',
  'field',
  'hint',
  'attrs',
  'problems',
  'logoUri',
])

function withPayload(value: unknown, payload: string): unknown {
  if (typeof value === 'string') return payload
  if (Array.isArray(value)) return value.map((each) => withPayload(each, payload))
  if (value === null || typeof value !== 'object' || value instanceof Date) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      CHOICES.has(key) ? inner : withPayload(inner, payload),
    ]),
  )
}

/** The elements and attribute names of a document, without any value. */
const skeleton = (markup: string): string =>
  [...tokensOf(markup)]
    .flatMap((token) =>
      token.kind === 'text'
        ? []
        : [`${token.kind} ${token.tag} ${Object.keys(token.attributes).join()}`],
    )
    .join('\n')

describe('WB-03 EM-13 what strangers write stays text', () => {
  const branded = (name: string) =>
    createViews({ brand: { ...BRAND, name }, issuer: 'https://id.example.org' })

  it.each(PAYLOADS)('pages: %j changes no element of any of them', (payload) => {
    const [hostile, friendly] = [branded(payload), branded('plain')]
    const draw = (by: Views, { name, model }: Sample, value: string): string =>
      by.page(
        name,
        withPayload(model, value) as PageModels[PageName],
        contextOf(name, { path: value, client: { name: value, host: value } }),
      )
    for (const sample of eachPage()) {
      const markup = draw(hostile, sample, payload)
      const [shape, benign] = [skeleton(markup), skeleton(draw(friendly, sample, 'plain'))]
      if (shape !== benign && !isWebLink(sample.name, shape, benign))
        throw new Error(`${sample.name} ${sample.variant} changes shape`)
      expect(markup).not.toMatch(/<script>|<img src=x|<svg\/onload/)
    }
  })

  it.each(PAYLOADS)('mails: %j changes no element of any of them', (payload) => {
    const [hostile, friendly] = [branded(payload), branded('plain')]
    for (const { name, variant, model } of eachMail()) {
      const [shape, benign] = (
        [
          [hostile, payload],
          [friendly, 'plain'],
        ] as const
      ).map(([by, value]) =>
        skeleton(by.mail(name, withPayload(model, value) as never, { locale: 'en' }).html),
      )
      if (shape !== benign) throw new Error(`${name} ${variant} changes shape`)
    }
  })

  /** Links that are dropped because they are no web pages. */
  function isWebLink(name: PageName, shape: string, benign: string): boolean {
    return name === 'interaction/consent' && shape.length < benign.length
  }
})

describe('the account area', () => {
  const sections = (name: PageName, variant = 'plain'): string[] =>
    tags(markupOf(name, variant), 'a').flatMap(({ href = '', 'aria-current': current }) =>
      current ? [`${href} ${current}`] : [],
    )

  it('UX-34 every page has its section marked, and those below one a way back', () => {
    expect(sections('account/index')).toEqual(['/account page'])
    expect(sections('account/sessions')).toEqual(['/account/sessions page'])
    for (const { name, markup } of en.filter((each) => each.name.startsWith('account/'))) {
      expect(tags(markup, 'a').filter((link) => link['aria-current'])).toHaveLength(1)
      if (
        /^account\/(index|profile|sessions|apps|activity)$/.test(name) ||
        markup.includes('id="codes"')
      )
        continue
      expect([
        name,
        sections(name, en.find((each) => each.markup === markup)?.title.split(' ')[1]),
      ]).toEqual([name, ['/account true']])
      expect(visibleText(markup)).toContain('Back to the overview')
    }
  })

  it('words what happened as it was', () => {
    const text = (name: PageName, variant = 'plain'): string => visibleText(markupOf(name, variant))
    expect(text('account/recovery-codes', 'left')).toContain('9 of 10 left')
    expect(text('account/sessions')).toContain('Last active just now')
    expect(text('account/sessions')).toContain('IP address 2001:db8::7')
    expect(text('account/activity')).toContain('App: Acme Books')
    const changed = {
      ...PAGES['account/index']['plain'],
      passwordChangedAt: new Date(),
    } as PageModels['account/index']
    for (const [locale, words] of [
      ['en', 'Changed just now'],
      ['de', 'Geändert: gerade eben'],
      ['ar', 'تغيّرت قبل لحظات'],
    ] as const)
      expect(
        visibleText(
          views.page('account/index', changed, contextOf('account/index', { locale })),
        ).replace(/ +/g, ' '),
      ).toContain(words)
  })
})

describe('small things', () => {
  it('errors of an app are unfolded where it is developed', () => {
    const { protocol } = PAGES['pages/error']
    if (!protocol) throw new Error('no sample')
    const open = (isDevelopment: boolean) =>
      tags(
        createViews({ brand: BRAND, issuer: 'https://id.example.org', isDevelopment }).page(
          'pages/error',
          protocol,
          contextOf('pages/error'),
        ),
        'details',
      )
    expect([open(true)[0]?.['open'], open(false)[0]?.['open']]).toEqual(['', undefined])
  })

  it('refuses to print what is not text', () => {
    const verify = PAGES['interaction/verify-email']['plain']
    for (const email of [undefined, null, {}, true])
      expect(() =>
        views.page(
          'interaction/verify-email',
          { ...verify, email } as never,
          contextOf('interaction/verify-email'),
        ),
      ).toThrow('a template printed')
  })

  it('takes over the form of the provider', () => {
    const form = `<form id="op.logoutForm" method="post" action="https://id.example.org/session/end/confirm?a=1&amp;b=2"><input type="hidden" name="xsrf" value="a&quot;b"/></form>`
    expect(foreignForm(form)).toEqual({
      action: 'https://id.example.org/session/end/confirm?a=1&b=2',
      fields: { xsrf: 'a"b' },
    })
  })

  it('makes problems of a refusal', () => {
    expect(problemsOf(new AppError('too_many_requests', { retryAfterSeconds: 30 }))).toEqual({
      code: 'too_many_requests',
      retryAfterSeconds: 30,
    })
    expect(
      problemsOf(new AppError('password_rejected', { fields: { password: 'too_short' } })),
    ).toEqual({
      code: 'password_rejected',
      fields: { password: 'too_short' },
    })
  })

  it('names devices only by names it knows', () => {
    const english = translatorOf('en')
    expect(
      deviceName('Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0', english),
    ).toBe('Firefox on Linux')
    for (const agent of [
      undefined,
      '',
      'evil.example/1.0 Visit http://evil',
      'curl/8.5.0',
      '<script>',
      'x'.repeat(100_000),
    ])
      expect(deviceName(agent, english)).toBe('Unknown device')
  })

  it('UX-38 a theme overrides the preference of the system', () => {
    const page = views.page(
      'pages/signed-out',
      {},
      contextOf('pages/signed-out', { theme: 'dark' }),
    )
    expect(tags(page, 'html')[0]?.['data-theme']).toBe('dark')
    expect(tags(markupOf('pages/signed-out'), 'html')[0]?.['data-theme']).toBeUndefined()
  })
})
