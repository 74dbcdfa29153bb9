import { describe, expect, it } from '@jest/globals'
import { createViews, type MailModels, plainName, SECURITY_NOTICES } from '../../src/views/views.ts'
import { textOf, tokensOf, visibleText } from '../support/html.ts'
import { WALKED } from './languages.ts'
import { BRAND, eachMail, MAILS } from './samples.ts'

const views = createViews({ brand: BRAND, issuer: 'https://id.example.org' })
const verify: MailModels['verify-email'] = {
  code: '123456',
  expiresInSeconds: 600,
  name: 'Ada',
  origin: { userAgent: '', ip: '192.0.2.4' },
}
const rendered = WALKED.flatMap((locale) =>
  eachMail().map(({ name, variant, model }) => ({
    title: `${name} ${variant} ${locale}`,
    name,
    variant,
    model,
    locale,
    mail: views.mail(name, model, { locale }),
  })),
)
const mailOf = (title: string) => {
  const found = rendered.find((each) => each.title === title)
  if (!found) throw new Error(`no sample ${title}`)
  return found.mail
}

describe.each(rendered)('$title', ({ mail: { subject, text, html }, model, locale }) => {
  const markup = [...tokensOf(html)].flatMap((token) => (token.kind === 'open' ? [token] : []))

  it('UX-27 has text and HTML that say the same, a preheader, and who sends it', () => {
    const seen = visibleText(html)
    for (const line of text
      .split('\n')
      .map((each) => each.trim())
      .filter((each) => each !== '' && each !== '--' && !each.includes(': ')))
      expect(seen.replaceAll(/\s+/g, ' ')).toContain(line)
    expect(seen.indexOf(textOf(html, 'div') ?? '?')).toBeGreaterThanOrEqual(0)
    for (const body of [text, seen]) {
      expect(body).toContain('id.example.org')
      expect(body).toContain(BRAND.name)
      expect(body).not.toMatch(/\bundefined\b|\bnull\b|\{\w+\}|\[object/)
    }
    expect(subject).not.toMatch(/[\r\n]/)
  })

  it('UX-27 loads nothing and tracks nothing', () => {
    expect(
      markup.filter(({ tag }) =>
        ['img', 'link', 'script', 'iframe', 'object', 'video'].includes(tag),
      ),
    ).toEqual([])
    expect(html).not.toMatch(/url\(|@import|src=|background=/)
  })

  it('UX-27 is readable: 16 px and more, dark mode, language and direction', () => {
    const sizes = [...html.matchAll(/font-size:(\d+)px/g)].map(([, size]) => Number(size))
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(16)
    expect(html).toContain('prefers-color-scheme: dark')
    expect(markup.find(({ tag }) => tag === 'html')?.attributes).toMatchObject({
      lang: locale,
      dir: locale === 'ar' ? 'rtl' : 'ltr',
    })
  })

  it('UX-27 has at most one button, and its address in plain beside it', () => {
    const buttons = [...html.matchAll(/class="button"[^>]*><a href="([^"]+)"/g)].map(
      ([, href]) => href ?? '',
    )
    expect(buttons.length).toBeLessThanOrEqual(1)
    for (const href of buttons) {
      expect(text).toContain(href)
      expect(visibleText(html)).toContain(href)
    }
  })

  it('UX-27 says who asked, and what to do if it was someone else', () => {
    const { origin } = model as { origin?: { ip?: string } }
    for (const body of [text, visibleText(html)]) {
      if (origin) expect(body).toContain('192.0.2.4')
      if (origin) expect(body).toMatch(/Firefox.*Windows/)
      expect(body).toContain(
        { en: 'If this wasn’t you', de: 'Falls Sie das nicht waren', ar: 'إن لم تكن أنت' }[locale],
      )
    }
  })
})

describe('codes', () => {
  it.each([
    'verify-email',
    'reset-password',
    'change-email',
    'change-password',
    'prove-identity',
  ] as const)('UX-26 %s has the code in subject and body, with its lifetime', (name) => {
    const { subject, text, html } = views.mail(name, verify, { locale: 'en' })
    expect(subject).toBe('123 456 is your Gatehouse code')
    for (const body of [text, visibleText(html)]) {
      expect(body).toContain('123 456')
      expect(body).toContain('10 minutes')
    }
  })

  it('keeps leading zeros', () => {
    expect(mailOf('verify-email bare en').subject).toBe('000 001 is your Gatehouse code')
  })
})

describe('EM-14 subjects are fixed', () => {
  it.each(rendered)('$title', ({ name, model, locale, mail }) => {
    const stranger = views.mail(
      name,
      {
        ...model,
        name: 'X',
        origin: { ip: '::1', userAgent: 'x' },
        client: 'Y',
        newEmail: 'z@z.zz',
      },
      { locale },
    )
    expect(stranger.subject).toBe(mail.subject)
  })

  it('no mail carries a password, and no two notices share a subject', () => {
    const notices = SECURITY_NOTICES.map((kind) => mailOf(`security-notice ${kind} en`).subject)
    expect(new Set(notices).size).toBe(SECURITY_NOTICES.length)
    expect(
      Object.values(MAILS).flatMap((variants) =>
        Object.values(variants).flatMap((model) => Object.keys(model)),
      ),
    ).not.toContain('password')
  })
})

describe('EM-13 names of strangers', () => {
  it.each([
    ['Ada Lovelace', 'Ada Lovelace'],
    ['Anne-Marie O’Brien, Jr.', 'Anne-Marie O’Brien, Jr.'],
    ['J.R.R. Tolkien', 'J.R.R. Tolkien'],
    ['محمد بن موسى', 'محمد بن موسى'],
    ['<a href=//evil>', ''],
    ['Visit http://evil', 'Visit'],
    ['Visit https://evil.example/x?y=z now', 'Visit now'],
    ['Win at evil.com', 'Win at evil. com'],
    ['www.evil.example', 'www. evil. example'],
    ['root@evil.example', 'root@evil. example'],
    ['Ada\r\nBcc: x@y.zz', 'Ada Bcc: x@y. zz'],
    ['Ada\u2028\u202egnp.exe', 'Ada gnp. exe'],
    ['a\u0000b\u200bc', 'a b c'],
    ['  spaces   everywhere ', 'spaces everywhere'],
    ['x'.repeat(5000), 'x'.repeat(100)],
    ['', ''],
  ])('%j reads %j', (given, plain) => {
    expect(plainName(given)).toBe(plain)
    const { text, html, subject } = views.mail(
      'verify-email',
      { ...verify, name: given, client: given },
      { locale: 'en' },
    )
    expect(text).toContain(plain === '' ? 'Hello,\n' : `Hello ${plain},\n`)
    expect(`${text}${html}`).not.toMatch(/evil\.\w|http:\/\/evil|<a href=\/\/evil/)
    expect(subject).toBe('123 456 is your Gatehouse code')
  })

  it('a user agent is put in words, never quoted', () => {
    const { text, html } = views.mail(
      'verify-email',
      { ...verify, origin: { userAgent: 'evil.example/1 <b>', ip: '1.2.3.4\n<b>' } },
      { locale: 'en' },
    )
    expect(`${text}${html}`).not.toMatch(/evil|<b>/)
    expect(text).toContain('Device: Unknown device\nIP address: 1.2.3.4b')
  })
})
